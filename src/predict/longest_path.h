// LongestPath: the least time that a program can take, on any number of workers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "predict/simulate.h"
#include "timeline/timeline.h"

namespace weft {

// The longest chain of dependent ops, transfers included. It follows from the costs of ops alone,
// and bounds every schedule from below. A critical path (timeline/critical_path.h), in contrast, is
// that of one run: it follows from the times that were recorded, waits for workers included.
struct LongestPath {
  double seconds = 0.;
  double transfer_s = 0.;     // the part of `seconds` that is transfers
  std::vector<uint32_t> ops;  // first to last
};

// costs: by op.
LongestPath longest_path(const TracedProgram& program, const std::vector<OpCost>& costs);

// Seconds of a path's ops by kind, and of its transfers under "transfer".
std::map<std::string, double> seconds_by_kind(const LongestPath& path, const TracedProgram& program,
                                              const std::vector<OpCost>& costs);

}  // namespace weft
