#include "measure/step_profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/now_ns.h"
#include "kernels/kernel_costs.h"

namespace weft {

std::map<std::string, double> step_flops(const Config& config, int64_t B, int64_t T,
                                         int64_t recomputed) {
  const double n = double(B * T), C = double(config.C), L = double(config.L);
  const double heads = double(B * config.NH), HS = double(config.HS());
  std::map<std::string, double> flops;
  const auto linear = [&](const std::string& name, const char* forward, double N, double K,
                          double count) {
    const double one = count * kernel_cost::linear_forward(n, N, K).flops;
    for (const char* pass : {forward, "dX", "dW"}) flops[fmt::format("{}/{}", name, pass)] = one;
  };
  linear("qkv", "forward", 3 * C, C, L);
  linear("attproj", "forward", C, C, L);
  linear("fc", "forward", 4 * C, C, L);
  linear("fcproj", "forward", C, 4 * C, L);
  linear("classifier", "logits", double(config.Vp()), C, 1);
  flops["attention/forward"] = L * heads * kernel_cost::attention_forward(double(T), HS).flops;
  flops["attention/backward"] = L * heads * kernel_cost::attention_backward(double(T), HS).flops;
  if (recomputed == 0) return flops;
  for (const char* kind : {"qkv/forward", "attproj/forward", "fc/forward", "attention/forward"}) {
    flops[fmt::format("again/{}", kind)] = flops.at(kind) * double(recomputed) / L;
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
    const std::string kind = op.name.kind;
    OpKindTime& time = by_kind[kind];
    time.kind = kind;
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
