#include "run/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace weft {
namespace {

constexpr double kWsdDecayShare = 0.2;

// From 1 at the start of the decay to 0 at its end; d in [0, 1].
double remaining(ScheduleKind kind, double d) {
  switch (kind) {
    case ScheduleKind::kCosine:
      return 0.5 * (1. + std::cos(std::numbers::pi * d));
    case ScheduleKind::kLinear:
      return 1. - d;
    case ScheduleKind::kWsd:
      return 1. - std::sqrt(d);
    case ScheduleKind::kConstant:
      break;
  }
  return 1.;
}

}  // namespace

ScheduleKind parse_schedule(const std::string& name) {
  if (name == "cosine") return ScheduleKind::kCosine;
  if (name == "linear") return ScheduleKind::kLinear;
  if (name == "constant") return ScheduleKind::kConstant;
  if (name == "wsd") return ScheduleKind::kWsd;
  throw input_error("train", fmt::format("unknown schedule '{}'", name),
                    "use cosine, linear, constant or wsd");
}

double Schedule::at(int64_t step) const {
  if (step < warmup) return lr * double(step + 1) / double(warmup);
  const int64_t begin = kind == ScheduleKind::kWsd
                            ? std::max(warmup, steps - int64_t(kWsdDecayShare * double(steps)))
                            : warmup;
  const int64_t length = std::max<int64_t>(steps - begin, 1);
  const double d = std::clamp(double(step - begin) / double(length), 0., 1.);
  const double final_lr = final_lr_fraction * lr;
  return kind == ScheduleKind::kConstant ? lr : final_lr + remaining(kind, d) * (lr - final_lr);
}

}  // namespace weft
