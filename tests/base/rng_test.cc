#include "base/rng.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <set>
#include <vector>

namespace weft {
namespace {

using Words = std::array<uint32_t, 4>;

// The known-answer vectors that the authors of Philox publish with Random123.
TEST(Philox, MatchesThePublishedKnownAnswers) {
  constexpr uint32_t kOnes = 0xffffffff;

  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, UsesAllBitsOfSeedStreamAndIndex) {
  std::set<uint64_t> values = {random_u64(0, 0, 0)};

  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t one = uint64_t{1} << bit;
    values.insert(random_u64(one, 0, 0));
    values.insert(random_u64(0, one, 0));
    values.insert(random_u64(0, 0, one));
  }

  EXPECT_EQ(values.size(), 1u + 3 * 64);
}

TEST(Random, EveryBitIsSetHalfOfTheTime) {
  constexpr int kN = 10000;
  std::vector<int> set(64);

  for (int i = 0; i < kN; ++i) {
    const uint64_t value = random_u64(7, 11, static_cast<uint64_t>(i));
    for (int bit = 0; bit < 64; ++bit) set[bit] += value >> bit & 1;
  }

  // A binomial count has standard deviation sqrt(n)/2 = 50; 5 of them leave 64 bits a chance of
  // 4e-5 to fail by accident (and the numbers are the same on every run).
  for (const int count : set) EXPECT_NEAR(count, kN / 2, 250);
}

TEST(RandomUniform, HasTheMomentsAndTheRangeOfAUniform) {
  constexpr int kN = 100000;
  double sum = 0.0, squares = 0.0;

  for (int i = 0; i < kN; ++i) {
    const double u = random_uniform(3, 5, static_cast<uint64_t>(i));
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }

  // Bounds of 5 standard errors: sd(u) = sqrt(1/12), sd(u^2) = sqrt(4/45), over sqrt(n).
  EXPECT_NEAR(sum / kN, 1.0 / 2, 5 * std::sqrt(1.0 / 12 / kN));
  EXPECT_NEAR(squares / kN, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / kN));
}

TEST(RandomUniform, FillsTenBinsEvenly) {
  constexpr int kN = 100000, kBins = 10;
  std::vector<int> bins(kBins);

  for (int i = 0; i < kN; ++i) {
    ++bins[static_cast<size_t>(kBins * random_uniform(3, 6, static_cast<uint64_t>(i)))];
  }

  double chi2 = 0.0;
  for (const int count : bins) chi2 += std::pow(count - kN / kBins, 2) / (kN / kBins);
  EXPECT_LT(chi2, 33.7);  // chi-squared, 9 degrees of freedom: exceeded with probability 1e-4
}

TEST(RandomNormal, HasTheMomentsAndTheTailsOfANormal) {
  constexpr int kN = 100000;
  double sum = 0.0, squares = 0.0, fourths = 0.0;
  int beyond_two = 0;

  for (int i = 0; i < kN; ++i) {
    const double z = random_normal(42, 1, static_cast<uint64_t>(i));
    ASSERT_TRUE(std::isfinite(z));
    sum += z;
    squares += z * z;
    fourths += z * z * z * z;
    beyond_two += std::abs(z) > 2.0;
  }

  // Bounds of 5 standard errors: var(z) = 1, var(z^2) = 2, var(z^4) = 96, a proportion of 4.55 %.
  EXPECT_NEAR(sum / kN, 0.0, 5 * std::sqrt(1.0 / kN));
  EXPECT_NEAR(squares / kN, 1.0, 5 * std::sqrt(2.0 / kN));
  EXPECT_NEAR(fourths / kN, 3.0, 5 * std::sqrt(96.0 / kN));
  EXPECT_NEAR(double(beyond_two) / kN, 0.0455, 5 * std::sqrt(0.0455 * 0.9545 / kN));
}

TEST(RandomNormal, NeighboursAndStreamsAreUncorrelated) {
  constexpr int kN = 100000;
  double neighbours = 0.0, streams = 0.0;

  for (uint64_t i = 0; i < kN; ++i) {
    neighbours += random_normal(42, 1, i) * random_normal(42, 1, i + 1);
    streams += random_normal(42, 1, i) * random_normal(42, 2, i);
  }

  // A product of independent normals has variance 1; the bound is 5 standard errors.
  EXPECT_NEAR(neighbours / kN, 0.0, 5 * std::sqrt(1.0 / kN));
  EXPECT_NEAR(streams / kN, 0.0, 5 * std::sqrt(1.0 / kN));
}

}  // namespace
}  // namespace weft
