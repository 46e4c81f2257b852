#include "measure/kernel_timing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "measure/thread_clock.h"

namespace weft {
namespace {

// Keeps the thread busy.
void compute_for(double seconds) {
  const double end = thread_seconds() + seconds;
  while (thread_seconds() < end) {
  }
}

KernelCase case_of(CacheState cache, std::function<KernelCall(Operands&)> make_call) {
  return {"test", {}, cache, std::move(make_call)};
}

TEST(KernelTiming, TakesTheTimeOfOneCall) {
  const KernelCase kernel =
      case_of(CacheState::kHot, [](Operands&) { return KernelCall{[] { compute_for(1e-4); }}; });

  const KernelTiming timing = time_kernel(kernel, {.least_s = 2e-3, .repetitions = 3});

  EXPECT_GE(timing.call_s.min, 1e-4);
  EXPECT_LE(timing.call_s.min, timing.call_s.median);
  EXPECT_LE(timing.call_s.median, timing.call_s.max);
}

TEST(KernelTiming, DoesNotCountTheTimeOfRestoring) {
  int64_t runs = 0, most_runs = 0;
  const KernelCase kernel = case_of(CacheState::kHot, [&](Operands&) {
    return KernelCall{.run = [&] { most_runs = std::max(most_runs, ++runs); },
                      .restore =
                          [&] {
                            runs = 0;
                            compute_for(1e-3);
                          },
                      .runs_before_restore = 100};
  });

  const KernelTiming timing = time_kernel(kernel, {.least_s = 1e-4, .repetitions = 2});

  EXPECT_EQ(most_runs, 100);
  EXPECT_LT(timing.call_s.min, 1e-6);  // 1e-5 with the restoring
}

TEST(KernelTiming, ColdCallsRotateThroughMoreOperandsThanACacheHolds) {
  std::vector<int64_t> calls;
  const KernelCase kernel = case_of(CacheState::kCold, [&](Operands& operands) {
    operands.vector(1024);
    const size_t index = calls.size();
    calls.push_back(0);
    return KernelCall{[&calls, index] { ++calls[index]; }};
  });

  const KernelTiming timing =
      time_kernel(kernel, {.cold_bytes = 10 * 4096, .least_s = 1e-4, .repetitions = 2});

  EXPECT_EQ(calls.size(), 10u);
  EXPECT_EQ(timing.operand_bytes, size_t{10 * 4096});
  EXPECT_LE(calls.front() - calls.back(), 1);
}

}  // namespace
}  // namespace weft
