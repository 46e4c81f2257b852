// for_each_target: runs a test with every instruction set that both the kernels and the CPU
// support.
#pragma once

// Highway's headers come second.
// clang-format off
#include "kernels/simd_targets.h"
#include <hwy/highway.h>
// clang-format on
#include <gtest/gtest.h>

#include <cstdint>

namespace weft {

// During its lifetime, every vector kernel runs on this target, one of Highway's HWY_* constants.
class ForcedTarget {
 public:
  explicit ForcedTarget(int64_t target) { hwy::SetSupportedTargetsForTest(target); }
  ~ForcedTarget() { hwy::SetSupportedTargetsForTest(0); }
  ForcedTarget(const ForcedTarget&) = delete;
  ForcedTarget& operator=(const ForcedTarget&) = delete;
};

inline bool cpu_has(int64_t target) {
  return (hwy::SupportedTargets() & HWY_TARGETS & target) != 0;
}

template <typename Body>
void for_each_target(Body body) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    const ForcedTarget forced(target);
    body();
  }
}

// compute() returns a vector of floats. AVX-512 must give the same bits as AVX2.
template <typename Compute>
void expect_same_bits_on_avx2_and_avx512(Compute compute) {
  if (!cpu_has(HWY_AVX2) || !cpu_has(HWY_AVX3)) GTEST_SKIP() << "needs a CPU with AVX-512";
  const auto compute_on = [&](int64_t target) {
    const ForcedTarget forced(target);
    return compute();
  };
  EXPECT_EQ(compute_on(HWY_AVX2), compute_on(HWY_AVX3));
}

}  // namespace weft
