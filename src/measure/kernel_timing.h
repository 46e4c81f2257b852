// Kernel timing: how long one call of a kernel takes, over several repetitions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "measure/kernel_cases.h"
#include "measure/time_spread.h"

namespace weft {

struct KernelTiming {
  size_t operand_bytes = 0;  // that the calls rotate through
  TimeSpread call_s;         // of one call, over the repetitions
};

struct KernelTimingSettings {
  size_t cold_bytes = 0;    // the least that the operands of a cold case occupy
  double least_s = 0.1;     // the least that a repetition takes
  int64_t repetitions = 5;  // at least 1
};

// Times the case on the calling thread, by the time that the thread computes. Each repetition makes
// the same number of calls. The operands are released before it returns.
KernelTiming time_kernel(const KernelCase& kernel, const KernelTimingSettings& settings);

}  // namespace weft
