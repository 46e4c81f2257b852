#include "predict/longest_path.h"

#include <algorithm>

namespace weft {

LongestPath longest_path(const TracedProgram& program, const std::vector<OpCost>& costs) {
  constexpr uint32_t kNone = TracedOp::kNone;
  const auto n = static_cast<uint32_t>(program.ops.size());
  // The earliest end of each op, and the op that it waited for.
  std::vector<double> end_s(n, 0.);
  std::vector<uint32_t> waited_for(n, kNone);
  uint32_t last = kNone;
  for (uint32_t i = 0; i < n; ++i) {
    const TracedOp& op = program.ops[i];
    const auto wait_for = [&](uint32_t earlier, double until) {
      if (waited_for[i] != kNone && until <= end_s[i]) return;
      end_s[i] = until;
      waited_for[i] = earlier;
    };
    for (const uint32_t before : program.predecessors[i]) wait_for(before, end_s[before]);
    if (op.begun_by != kNone) {
      wait_for(op.begun_by, end_s[op.begun_by] + costs[op.begun_by].transfer_s);
    }
    if (!op.waits) end_s[i] += costs[i].seconds;
    if (last == kNone || end_s[i] > end_s[last]) last = i;
  }
  LongestPath path;
  if (last == kNone) return path;
  path.seconds = end_s[last];
  for (uint32_t i = last; i != kNone; i = waited_for[i]) {
    path.ops.push_back(i);
    const uint32_t start = program.ops[i].begun_by;
    if (start != kNone && waited_for[i] == start) path.transfer_s += costs[start].transfer_s;
  }
  std::ranges::reverse(path.ops);
  return path;
}

std::map<std::string, double> seconds_by_kind(const LongestPath& path, const TracedProgram& program,
                                              const std::vector<OpCost>& costs) {
  std::map<std::string, double> seconds;
  for (const uint32_t i : path.ops) {
    const TracedOp& op = program.ops[i];
    if (!op.waits) seconds[op.name.kind] += costs[i].seconds;
  }
  if (path.transfer_s > 0.) seconds["transfer"] = path.transfer_s;
  return seconds;
}

}  // namespace weft
