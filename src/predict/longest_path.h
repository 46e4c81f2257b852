// LongestPath: what a program takes at least, on any number of workers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "predict/simulate.h"
#include "timeline/program_graph.h"

namespace weft {

// The longest chain of ops that wait for each other, transfers included: no number of workers is
// faster.
struct LongestPath {
  double seconds = 0.;
  double transfer_s = 0.;     // of these
  std::vector<uint32_t> ops;  // first to last
};
LongestPath longest_path(const ProgramGraph& graph, const std::vector<OpCost>& costs);

// Seconds of a path's ops, by kind (op_kind), and of its transfers under "transfer".
std::map<std::string, double> seconds_by_kind(const LongestPath& path, const ProgramGraph& graph,
                                              const std::vector<OpCost>& costs);

}  // namespace weft
