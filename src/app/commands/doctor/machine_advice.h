// Advice: properties of a machine, or of the way in which a process was started, that cost speed.
#pragma once

#include <string>
#include <vector>

#include "measure/machine_facts.h"

namespace weft {

struct Advice {
  std::string what;
  std::string hint;  // how to improve it
};

// Depends on the arguments alone. threads: the number that weft would use.
std::vector<Advice> advise(const MachineFacts& facts, int threads);

}  // namespace weft
