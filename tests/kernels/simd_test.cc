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

void exp2_of_each(Vector<float> x) {
  const Floats d;
  for_each_vector(d, static_cast<int64_t>(x.size()),
                  [&](auto io, int64_t i) HWY_ATTR { io.store(exp2(d, io.load(&x[i])), &x[i]); });
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

constexpr double kSmallestNormal = std::numeric_limits<float>::min();

HWY_EXPORT(exp_of_each);
HWY_EXPORT(exp2_of_each);
HWY_EXPORT(sum_of_each);

std::vector<float> exps(std::vector<float> x) {
  HWY_DYNAMIC_DISPATCH(exp_of_each)(x);
  return x;
}

std::vector<float> exp2s(std::vector<float> x) {
  HWY_DYNAMIC_DISPATCH(exp2_of_each)(x);
  return x;
}

// All magnitudes from 2^-26, where exp(x) rounds to 1, to `most`, one in 97, with both signs.
std::vector<float> floats_up_to(float most) {
  std::vector<float> all;
  for (uint32_t bits = std::bit_cast<uint32_t>(0x1p-26f); bits <= std::bit_cast<uint32_t>(most);
       bits += 97) {
    const float x = std::bit_cast<float>(bits);
    all.insert(all.end(), {x, -x});
  }
  return all;
}

// In units of the last place of a float next to `want`.
double ulps_between(double got, double want) {
  return std::abs(got - want) / std::ldexp(1.0, std::ilogb(want) - 23);
}

// Where the result is a normal float.
double worst_ulps(const std::vector<float>& got, const std::vector<double>& want) {
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (want[i] >= kSmallestNormal) worst = std::max(worst, ulps_between(got[i], want[i]));
  }
  return worst;
}

TEST(Simd, ExpIsWithinItsBoundWhereItIsNormal) {
  const std::vector<float> x = floats_up_to(88.f);
  std::vector<double> want;
  for (const float each : x) want.push_back(std::exp(double(each)));

  for_each_target([&] { EXPECT_LT(worst_ulps(exps(x), want), 1.3); });
}

TEST(Simd, ExpFlushesBelowTheSmallestNormal) {
  for_each_target([] {
    for (const float got : exps({-87.34f, -88.f, -104.f, -1e30f, -INFINITY})) EXPECT_EQ(got, 0.f);
  });
}

TEST(Simd, Exp2IsWithinItsBoundWhereItIsNormal) {
  const std::vector<float> x = floats_up_to(127.f);
  std::vector<double> want;
  for (const float each : x) want.push_back(std::exp2(double(each)));

  for_each_target([&] { EXPECT_LT(worst_ulps(exp2s(x), want), 1.3); });
}

TEST(Simd, Exp2IsExactAtZeroAndVanishesFromMinus127On) {
  for_each_target([] {
    EXPECT_EQ(exp2s({0.f, -0.f, 1.f, -126.f}), (std::vector<float>{1.f, 1.f, 2.f, 0x1p-126f}));
    for (const float got : exp2s({-127.f, -128.f, -1e30f, -INFINITY})) EXPECT_EQ(got, 0.f);
    for (const float got : exp2s({-126.1f, -126.5f, -126.9f})) EXPECT_LE(got, 0x1p-126f);
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
