#include "measure/step_profile.h"

#include <algorithm>

#include "base/now_ns.h"

namespace weft {

std::map<std::string, double> flops_by_kind(const Program& program) {
  std::map<std::string, double> flops;
  for (const Op& op : program.ops()) {
    if (op.flops > 0.) flops[op.name.kind] += op.flops;
  }
  return flops;
}

void StepProfile::op_started(size_t op, int) noexcept { begin_ns_[op] = now_ns(); }

void StepProfile::op_ended(size_t op, int) noexcept { total_ns_[op] += now_ns() - begin_ns_[op]; }

std::vector<OpKindTime> StepProfile::kinds() const {
  std::map<std::string, OpKindTime> by_kind;
  for (size_t i = 0; i < program_.ops().size(); ++i) {
    const Op& op = program_.ops()[i];
    if (op.poll) continue;  // it occupies no thread
    OpKindTime& time = by_kind[op.name.kind];
    time.kind = op.name.kind;
    time.phase = op.phase;
    ++time.ops;
    time.seconds += 1e-9 * static_cast<double>(total_ns_[i]);
  }
  std::vector<OpKindTime> kinds;
  kinds.reserve(by_kind.size());
  for (const auto& [kind, time] : by_kind) kinds.push_back(time);
  std::ranges::stable_sort(kinds, std::greater(), &OpKindTime::seconds);
  return kinds;
}

}  // namespace weft
