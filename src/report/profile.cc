#include "report/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "measure/step_profile.h"
#include "timeline/op_path.h"

namespace weft {
namespace {

constexpr int kOutside = std::numeric_limits<int>::max();  // sorted behind all layers

// Of an op.
int layer_of(std::string_view name) {
  const int layer = op_layer(name);
  return layer >= 0 ? layer : kOutside;
}

// What is the same for every slice of a name.
struct OpFacts {
  std::string kind;
  int layer = kOutside;
  int64_t slices = 0;
};

std::vector<OpFacts> facts_of_names(const TraceFile& file) {
  std::vector<OpFacts> facts;
  facts.reserve(file.names.size());
  for (const std::string& name : file.names) facts.push_back({op_kind(name), layer_of(name)});
  for (const TraceSlice& slice : file.slices) {
    if (file.is_work(slice)) ++facts[slice.name].slices;
  }
  return facts;
}

// FLOPs of one slice of each kind. The slices of a kind differ by a few rows at most.
std::map<std::string, double> flops_of_slices(const TracedModel& model, int64_t steps,
                                              const std::vector<OpFacts>& facts) {
  std::map<std::string, int64_t> slices;
  std::set<int> recomputed;
  for (const OpFacts& op : facts) {
    slices[op.kind] += op.slices;
    if (op.kind == "again/qkv/forward") recomputed.insert(op.layer);
  }
  std::map<std::string, double> flops =
      step_flops(model.config, model.tokens_per_step / model.T, model.T, std::ssize(recomputed));
  std::erase_if(flops, [&](const auto& kind) { return slices[kind.first] == 0; });
  for (auto& [kind, n] : flops) {
    n *= static_cast<double>(steps) / static_cast<double>(slices[kind]);
  }
  return flops;
}

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

}  // namespace

void profile_trace(const TracedModel* model, ReportTrace& trace) {
  const TraceFile& file = trace.file;
  trace.steps = count_steps(file);
  const std::vector<OpFacts> facts = facts_of_names(file);
  std::map<std::string, double> flops;
  if (model != nullptr) flops = flops_of_slices(*model, trace.steps, facts);

  std::map<std::string, PartSum> kinds;
  std::map<int, PartSum> layers;
  for (const TraceSlice& slice : file.slices) {
    if (!file.is_work(slice)) continue;
    const OpFacts& op = facts[slice.name];
    const double seconds = 1e-9 * static_cast<double>(slice.duration_ns);
    const auto known = flops.find(op.kind);
    const double n = known == flops.end() ? 0. : known->second;
    kinds[op.kind].add(seconds, file.category_of(slice), n);
    layers[op.layer].add(seconds, file.category_of(slice), n);
  }

  std::vector<std::pair<double, TimePart>> longest;
  longest.reserve(kinds.size());
  for (const auto& [kind, sum] : kinds) longest.emplace_back(sum.seconds(), sum.named(kind));
  std::ranges::stable_sort(longest, std::greater(), &std::pair<double, TimePart>::first);
  for (auto& [seconds, part] : longest) trace.kinds.push_back(std::move(part));
  for (const auto& [layer, sum] : layers) {
    trace.layers.push_back(sum.named(layer == kOutside ? std::string("outside of layers")
                                                       : fmt::format("layer {}", layer)));
  }
}

}  // namespace weft
