#include "predict/op_costs.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace weft {
namespace {

double size_of(const OpWork& work) { return work.flops > 0. ? work.flops : work.bytes; }

// The ratio of the two as a distance; 0 if they are equal.
double distance(double a, double b) {
  return std::abs(std::log(std::max(a, 1.) / std::max(b, 1.)));
}

}  // namespace

std::vector<OpWork> work_of(const Program& program) {
  std::vector<OpWork> work;
  work.reserve(program.ops().size());
  for (const Op& op : program.ops()) {
    work.push_back({op.name.kind, op.flops, double(moved_bytes(op, program.tiles()))});
  }
  return work;
}

const ThreadCosts& OpCosts::for_cores(int cores) const {
  const auto more = std::ranges::find_if(runs, [&](const auto& r) { return r.threads > cores; });
  return more == runs.begin() ? *more : *(more - 1);
}

OpSeconds seconds_of(const OpWork& work, const ThreadCosts& costs) {
  const KindCost* nearest = nullptr;
  std::pair<double, double> least;
  for (const KindCost& cost : costs.kinds) {
    if (cost.work.kind != work.kind || (cost.work.flops > 0.) != (work.flops > 0.)) continue;
    const std::pair<double, double> far = {distance(size_of(cost.work), size_of(work)),
                                           distance(cost.work.bytes, work.bytes)};
    if (nearest == nullptr || far < least) {
      nearest = &cost;
      least = far;
    }
  }
  if (nearest == nullptr) return {work.bytes / costs.thread_bytes_per_s(), false};
  const double size = size_of(nearest->work);
  return {size > 0. ? nearest->seconds * size_of(work) / size : nearest->seconds, true};
}

}  // namespace weft
