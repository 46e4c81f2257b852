#include "report/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace weft {
namespace {

int64_t count_steps(const TraceFile& file) {
  std::set<int64_t> steps;
  for (const TraceSlice& slice : file.slices) steps.insert(slice.step);
  return std::ssize(steps);
}

// Sums up one part.
class PartSum {
 public:
  void add(double seconds, const std::string& phase, double flops) {
    ++part_.ops;
    seconds_[phase] += seconds;
    if (flops == 0.) return;
    part_.flops += flops;
    part_.counted_s += seconds;
  }

  double seconds() const {
    double sum = 0.;
    for (const auto& [phase, s] : seconds_) sum += s;
    return sum;
  }

  TimePart named(const std::string& label) const {
    TimePart part = part_;
    part.label = label;
    part.seconds_by_phase.assign(seconds_.begin(), seconds_.end());
    return part;
  }

 private:
  TimePart part_;
  std::map<std::string, double> seconds_;  // by phase
};

std::vector<TimePart> longest_first(const std::map<std::string, PartSum>& kinds) {
  std::vector<std::pair<double, TimePart>> timed;
  timed.reserve(kinds.size());
  for (const auto& [kind, sum] : kinds) timed.emplace_back(sum.seconds(), sum.named(kind));
  std::ranges::stable_sort(timed, std::greater(), &std::pair<double, TimePart>::first);
  std::vector<TimePart> parts;
  parts.reserve(timed.size());
  for (auto& [seconds, part] : timed) parts.push_back(std::move(part));
  return parts;
}

std::vector<TimePart> in_order(std::map<int64_t, PartSum> layers) {
  const auto outside = layers.extract(OpName::kNone);
  std::vector<TimePart> parts;
  for (const auto& [layer, sum] : layers)
    parts.push_back(sum.named(fmt::format("layer {}", layer)));
  if (outside) parts.push_back(outside.mapped().named("outside of layers"));
  return parts;
}

}  // namespace

void profile_trace(ReportTrace& trace) {
  const TraceFile& file = trace.file;
  std::map<std::string, PartSum> kinds;
  std::map<int64_t, PartSum> layers;
  for (const TraceSlice& slice : file.slices) {
    if (!file.is_work(slice)) continue;
    const TraceOp& op = file.op_of(slice);
    const double seconds = 1e-9 * static_cast<double>(slice.duration_ns);
    kinds[op.name.kind].add(seconds, file.category_of(slice), op.flops);
    layers[op.name.layer].add(seconds, file.category_of(slice), op.flops);
  }
  trace.steps = count_steps(file);
  trace.kinds = longest_first(kinds);
  trace.layers = in_order(std::move(layers));
}

}  // namespace weft
