#include "data/batches.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numeric>
#include <set>
#include <vector>

#include "support/error_of.h"

namespace weft {
namespace {

// A stream of n * T + 1 tokens whose sample i starts with token i * T.
TokenSource counting_source(int64_t samples, int64_t T) {
  std::vector<Token> tokens(static_cast<size_t>(samples * T + 1));
  std::iota(tokens.begin(), tokens.end(), Token{0});
  return TokenSource::from_tokens(std::move(tokens));
}

std::vector<int32_t> inputs_of(const Batches& batches, const BatchPlan& plan, int64_t step,
                               int64_t micro_batch) {
  std::vector<int32_t> inputs(static_cast<size_t>(plan.B * plan.T)), targets(inputs.size());
  batches.fill(step, micro_batch, inputs, targets);
  for (size_t i = 0; i < inputs.size(); ++i) EXPECT_EQ(targets[i], inputs[i] + 1);
  return inputs;
}

// The samples that these steps read, in the order of their numbers.
std::vector<int64_t> samples_read(const TokenSource& source, const BatchPlan& plan, int64_t steps) {
  const Batches batches(source, plan);
  std::vector<int64_t> samples;
  for (int64_t step = 0; step < steps; ++step) {
    for (int64_t k = 0; k < plan.micro_batches; ++k) {
      const auto inputs = inputs_of(batches, plan, step, k);
      for (int64_t b = 0; b < plan.B; ++b) {
        samples.push_back(inputs[static_cast<size_t>(b * plan.T)] / plan.T);
      }
    }
  }
  return samples;
}

std::vector<int64_t> permutation(int64_t n, uint64_t seed, uint64_t epoch) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < n; ++i) values.push_back(permuted(i, n, seed, epoch));
  return values;
}

bool is_permutation_of_all(const std::vector<int64_t>& values) {
  const std::set<int64_t> distinct(values.begin(), values.end());
  return distinct.size() == values.size() && *distinct.begin() == 0 &&
         *distinct.rbegin() == static_cast<int64_t>(values.size()) - 1;
}

TEST(Permuted, IsABijectionOfEverySmallRange) {
  for (int64_t n = 1; n <= 300; ++n) {
    for (const uint64_t epoch : {0, 1, 17}) {
      ASSERT_TRUE(is_permutation_of_all(permutation(n, 42, epoch))) << n;
    }
  }
}

TEST(Permuted, StaysDistinctAndInRangeInLargeOnes) {
  for (const int64_t n : {int64_t{1000003}, int64_t{1} << 32, (int64_t{1} << 40) + 15}) {
    std::set<int64_t> seen;
    for (int64_t i = 0; i < 2000; ++i) {
      for (const int64_t index : {i, n - 1 - i}) {
        const int64_t value = permuted(index, n, 42, 3);
        ASSERT_GE(value, 0);
        ASSERT_LT(value, n);
        ASSERT_TRUE(seen.insert(value).second) << index << " of " << n;
      }
    }
  }
}

TEST(Permuted, DependsOnSeedAndEpoch) {
  EXPECT_NE(permutation(100, 42, 0), permutation(100, 42, 1));
  EXPECT_NE(permutation(100, 42, 0), permutation(100, 43, 0));
  EXPECT_EQ(permutation(100, 42, 5), permutation(100, 42, 5));
}

TEST(Permuted, ReachesAllOrdersOfThree) {
  std::set<std::vector<int64_t>> orders;

  for (uint64_t epoch = 0; epoch < 200; ++epoch) orders.insert(permutation(3, 42, epoch));

  EXPECT_EQ(orders.size(), 6u);
}

TEST(Permuted, MovesNeighboursFarApart) {
  constexpr int64_t kN = 10007;
  const std::vector<int64_t> order = permutation(kN, 42, 0);

  double distance = 0.0;
  for (size_t i = 1; i < order.size(); ++i) {
    distance += std::abs(static_cast<double>(order[i] - order[i - 1]));
  }

  // Two uniform points of [0, n) are n/3 apart on average, with standard deviation n / sqrt(18).
  // The bound is 5 standard errors of the mean, with twice the variance because neighbouring
  // distances share a point.
  EXPECT_NEAR(distance / (kN - 1) / kN, 1.0 / 3, 5 * std::sqrt(2.0 / 18 / kN));
}

TEST(Batches, AnEpochReadsEverySampleOnce) {
  struct Case {
    int64_t samples, B, micro_batches, T;
  };
  // The first of each pair divides, the second ends in the middle of a step.
  for (const Case c : {Case{30, 3, 10, 4}, Case{31, 3, 10, 4}, Case{24, 1, 12, 7},
                       Case{23, 1, 12, 7}, Case{5, 5, 1, 1}, Case{7, 5, 3, 13}}) {
    const TokenSource source = counting_source(c.samples, c.T);
    for (const bool shuffle : {false, true}) {
      const BatchPlan plan{c.B, c.T, c.micro_batches, shuffle, 7};
      const int64_t steps = Batches(source, plan).steps_per_epoch();
      std::vector<int64_t> read = samples_read(source, plan, 3 * steps);

      // Every epoch begins where the previous one ended.
      const auto n = static_cast<ptrdiff_t>(c.samples);
      for (auto epoch = read.begin(); read.end() - epoch >= n; epoch += n) {
        ASSERT_TRUE(is_permutation_of_all({epoch, epoch + n})) << c.samples << " samples";
      }
      ASSERT_GE(steps * c.B * c.micro_batches, c.samples);
      ASSERT_LT((steps - 1) * c.B * c.micro_batches, c.samples);
    }
  }
}

TEST(Batches, WithoutShuffleSamplesComeInOrder) {
  const TokenSource source = counting_source(12, 3);
  const BatchPlan plan{.B = 2, .T = 3, .micro_batches = 6, .shuffle = false};

  std::vector<int64_t> expected(12);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(samples_read(source, plan, 1), expected);
}

TEST(Batches, MicroBatchesOnlyDivideTheSameSequence) {
  const TokenSource source = counting_source(101, 5);
  const BatchPlan alone{.B = 12, .T = 5};
  const BatchPlan divided{.B = 2, .T = 5, .micro_batches = 6};
  const BatchPlan otherwise{.B = 1, .T = 5, .micro_batches = 12};

  const auto expected = samples_read(source, alone, 20);

  EXPECT_EQ(samples_read(source, divided, 20), expected);
  EXPECT_EQ(samples_read(source, otherwise, 20), expected);
}

TEST(Batches, AStepDoesNotDependOnTheStepsBefore) {
  const TokenSource source = counting_source(31, 4);
  const BatchPlan plan{.B = 3, .T = 4, .micro_batches = 2};
  const Batches first(source, plan), resumed(source, plan);
  for (int64_t step = 0; step < 9; ++step) inputs_of(first, plan, step, 1);

  EXPECT_EQ(inputs_of(first, plan, 9, 1), inputs_of(resumed, plan, 9, 1));
}

TEST(Batches, EpochsDiffer) {
  const TokenSource source = counting_source(24, 3);
  const BatchPlan plan{.B = 24, .T = 3};
  const Batches batches(source, plan);

  EXPECT_NE(inputs_of(batches, plan, 0, 0), inputs_of(batches, plan, 1, 0));
}

TEST(Batches, ASourceShorterThanOneSequenceIsAnError) {
  const TokenSource source = counting_source(1, 8);

  EXPECT_TRUE(mentions(error_of([&] { Batches(source, BatchPlan{.B = 1, .T = 9}); }),
                       {"9 tokens", "--seq-len"}));
}

}  // namespace
}  // namespace weft
