// The internal header of the vector kernels, compiled for every target as they are.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "base/view.h"

#define HWY_TARGET_INCLUDE "kernels/simd_test.cc"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void exp_of_each(Vector<float> x) {
  const Floats d;
  for_each_vector(d, static_cast<int64_t>(x.size()),
                  [&](auto io, int64_t i) HWY_ATTR { io.store(exp(d, io.load(&x[i])), &x[i]); });
}

float sum_of_each(Vector<const float> x) {
  LaneSums<Floats, 32> sums;
  for_each_vector_in_groups<32>(Floats(), static_cast<int64_t>(x.size()),
                                [&](auto io, int64_t i, int64_t k)
                                    HWY_ATTR { sums.add(k, io.load(&x[i])); });
  return sums.total();
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "support/each_target.h"
#include "support/test_matrix.h"

namespace weft {
namespace {

HWY_EXPORT(exp_of_each);
HWY_EXPORT(sum_of_each);

std::vector<float> exps(std::vector<float> x) {
  HWY_DYNAMIC_DISPATCH(exp_of_each)(x);
  return x;
}

// One in 4099 (a prime) of all floats from -inf to 88.
std::vector<float> floats_to_88() {
  std::vector<float> all;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 4099) {
    const float x = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (x <= 88.f) all.push_back(x);
  }
  return all;
}

TEST(Simd, ExpIsWithinItsBoundOrFlushedBelowTheSmallestNormal) {
  const std::vector<float> x = floats_to_88();

  for_each_target([&] {
    const std::vector<float> got = exps(x);
    double worst_ulps = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double want = std::exp(double(x[i]));
      const float exponent = std::ilogb(std::max(want, double(std::numeric_limits<float>::min())));
      const double ulp = std::ldexp(1.0, static_cast<int>(exponent) - 23);
      const bool flushed = got[i] == 0.f && want < std::numeric_limits<float>::min();
      if (!flushed) worst_ulps = std::max(worst_ulps, std::abs(got[i] - want) / ulp);
    }
    EXPECT_LT(worst_ulps, 1.1);
  });
}

TEST(Simd, ExpIsExactAtZeroAndKeepsNan) {
  for_each_target([] {
    const float inf = std::numeric_limits<float>::infinity();
    const std::vector<float> got = exps({0.f, -0.f, -inf, -1e30f, std::nanf("")});

    EXPECT_EQ(got[0], 1.f);
    EXPECT_EQ(got[1], 1.f);
    EXPECT_EQ(got[2], 0.f);
    EXPECT_EQ(got[3], 0.f);
    EXPECT_TRUE(std::isnan(got[4]));
  });
}

// Element i goes to lane i % 32; then the upper half of the lanes is added to the lower half.
float sum_in_lane_order(Vector<const float> x) {
  float lanes[32] = {};
  for (size_t i = 0; i < x.size(); ++i) lanes[i % 32] += x[i];
  for (int half = 16; half > 0; half /= 2) {
    for (int k = 0; k < half; ++k) lanes[k] += lanes[k + half];
  }
  return lanes[0];
}

TEST(Simd, LaneSumsAddInTheSameOrderOnEveryTarget) {
  for_each_target([] {
    for (int64_t n = 0; n <= 131; ++n) {
      TestMatrix x = TestMatrix::normal(1, n, 7);

      EXPECT_EQ(HWY_DYNAMIC_DISPATCH(sum_of_each)(x.row()), sum_in_lane_order(x.row())) << n;
    }
  });
}

}  // namespace
}  // namespace weft

#endif
