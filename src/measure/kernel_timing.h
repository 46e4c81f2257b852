// Kernel timings: Google Benchmark runs the cases and repeats them; this keeps what they took.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "measure/kernel_cases.h"

namespace weft {

struct KernelTiming {
  size_t index = 0;                              // of the case
  size_t operand_bytes = 0;                      // that the calls rotate through
  double median_s = 0., min_s = 0., max_s = 0.;  // of one call, over the repetitions
};

struct KernelTimingSettings {
  size_t cold_bytes = 0;    // that operands of cold cases take up; at least
  double least_s = 0.1;     // per repetition
  int64_t repetitions = 5;  // 2 or more
};

// Times the cases one after the other on the calling thread, by the time that the thread computes.
// Calls timed(timing) after each. Not reentrant: Google Benchmark's list of benchmarks is global.
void time_kernels(const std::vector<KernelCase>& cases, const KernelTimingSettings& settings,
                  const std::function<void(const KernelTiming&)>& timed);

}  // namespace weft
