#include "predict/longest_path.h"

#include <algorithm>

namespace weft {

LongestPath longest_path(const ProgramGraph& graph, const std::vector<OpCost>& costs) {
  // The earliest end of each op, and the one that it waited for.
  std::vector<double> end_s(graph.size(), 0.);
  std::vector<uint32_t> waited_for(graph.size(), ProgramGraph::kNone);
  uint32_t last = ProgramGraph::kNone;
  for (uint32_t i = 0; i < graph.size(); ++i) {
    const auto wait_for = [&](uint32_t op, double until) {
      if (waited_for[i] != ProgramGraph::kNone && until <= end_s[i]) return;
      end_s[i] = until;
      waited_for[i] = op;
    };
    for (const uint32_t before : graph.predecessors(i)) wait_for(before, end_s[before]);
    if (const uint32_t start = graph.begun_by(i); start != ProgramGraph::kNone) {
      wait_for(start, end_s[start] + costs[start].transfer_s);
    }
    if (!graph.op(i).waits) end_s[i] += costs[i].seconds;
    if (last == ProgramGraph::kNone || end_s[i] > end_s[last]) last = i;
  }
  LongestPath path;
  if (last == ProgramGraph::kNone) return path;
  path.seconds = end_s[last];
  for (uint32_t op = last; op != ProgramGraph::kNone; op = waited_for[op]) {
    path.ops.push_back(op);
    const uint32_t start = graph.begun_by(op);
    if (start != ProgramGraph::kNone && waited_for[op] == start) {
      path.transfer_s += costs[start].transfer_s;
    }
  }
  std::ranges::reverse(path.ops);
  return path;
}

std::map<std::string, double> seconds_by_kind(const LongestPath& path, const ProgramGraph& graph,
                                              const std::vector<OpCost>& costs) {
  std::map<std::string, double> seconds;
  for (const uint32_t op : path.ops) {
    if (!graph.op(op).waits) seconds[graph.op(op).name.kind] += costs[op].seconds;
  }
  if (path.transfer_s > 0.) seconds["transfer"] = path.transfer_s;
  return seconds;
}

}  // namespace weft
