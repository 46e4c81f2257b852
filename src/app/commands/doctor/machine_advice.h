// Advice: what about a machine, or about how a process was started, costs speed.
#pragma once

#include <string>
#include <vector>

#include "measure/machine_facts.h"

namespace weft {

struct Advice {
  std::string what;
  std::string hint;  // what to do about it
};

// A function of the facts alone. threads: that weft would use.
std::vector<Advice> advise(const MachineFacts& facts, int threads);

}  // namespace weft
