// Learning-rate schedules, as llm.c and nanoGPT define them.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

enum class ScheduleKind { kCosine, kLinear, kConstant, kWsd };

// cosine, linear, constant or wsd; throws Error (kInput) for another name.
ScheduleKind parse_schedule(const std::string& name);

struct Schedule {
  ScheduleKind kind = ScheduleKind::kCosine;
  double lr = 3e-4;
  int64_t warmup = 0;  // steps
  double final_lr_fraction = 0.1;
  int64_t steps = 1;  // length of the run

  // The rate of step s = 0, 1, ..: lr (s + 1) / warmup while s < warmup; then, with d the share of
  // the remaining steps that has passed, from lr to final_lr_fraction * lr:
  //   cosine 0.5 (1 + cos(pi d)), linear 1 - d, constant lr throughout, and wsd (warmup, stable,
  //   decay) lr until the last 20 % of the run, then along 1 - sqrt of the share of that passed.
  double at(int64_t step) const;
};

}  // namespace weft
