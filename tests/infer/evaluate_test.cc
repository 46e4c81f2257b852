#include "infer/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "exec/executor.h"
#include "step/random_state.h"
#include "support/error_of.h"

namespace weft {
namespace {

// Five layers take turns with two sets of activations, where a step of training keeps them all.
constexpr Config kConfig = {.L = 5, .NH = 3, .C = 15, .T = 13, .V = 131};
constexpr int64_t kT = 7;

TokenSource source_of(int64_t n) {
  std::vector<Token> tokens;
  for (int64_t i = 0; i < n; ++i) {
    tokens.push_back(static_cast<Token>(random_u64(7, 0, uint64_t(i)) % uint64_t(kConfig.V)));
  }
  return TokenSource::from_tokens(std::move(tokens));
}

class EvaluateTest : public testing::Test {
 protected:
  Evaluation evaluate(const TokenSource& source, int64_t B, int64_t max_batches = 0,
                      const Executor& executor = *make_executor("sequential", 1)) {
    return evaluate(source, {.B = B, .T = kT, .stride = kT, .max_batches = max_batches}, executor);
  }
  Evaluation evaluate(const TokenSource& source, const EvaluationPlan& plan,
                      const Executor& executor = *make_executor("sequential", 1)) {
    return weft::evaluate(state_.weights, source, plan, executor, GemmBackend::kAuto);
  }

  // The mean of the losses of the first samples, each computed on its own.
  double mean_over(const TokenSource& source, int64_t samples) {
    TrainingStep step(state_, {.B = 1, .T = kT});
    const auto program = make_executor("sequential", 1)->prepare(step.evaluation());
    double sum = 0;
    for (int64_t i = 0; i < samples; ++i) {
      source.sample(i, step.inputs(), step.targets());
      program->run();
      for (const float loss : step.losses()) sum += double(loss);
    }
    return sum / double(samples * kT);
  }

  // The loss of the last of `context` + 1 tokens that end at a position of the source.
  double loss_at(const TokenSource& source, int64_t position, int64_t context) {
    TrainingStep step(state_, {.B = 1, .T = context});
    source.copy(position - context, step.inputs());
    source.copy(position - context + 1, step.targets());
    make_executor("sequential", 1)->prepare(step.evaluation())->run();
    return double(step.losses().back());
  }

  TrainingState state_ = random_state(kConfig, 3);
};

// A sample's losses may differ in their last bits with the number of sequences beside it: losses of
// about 5, a mean over dozens.
constexpr double kTolerance = 1e-6;

TEST_F(EvaluateTest, IsTheMeanOverAllSamplesWithAShortLastBatch) {
  const TokenSource source = source_of(8 * kT + 1);
  ASSERT_EQ(source.samples(kT), 8);

  for (const int64_t B : {1, 3, 8, 11}) {
    const Evaluation e = evaluate(source, B);

    EXPECT_NEAR(e.loss, mean_over(source, 8), kTolerance) << "B " << B;
    EXPECT_EQ(e.tokens, 8 * kT) << "B " << B;
  }
}

TEST_F(EvaluateTest, StopsAfterTheBatchesThatItMayTake) {
  const TokenSource source = source_of(8 * kT + 1);

  const Evaluation two = evaluate(source, 3, 2), many = evaluate(source, 3, 100);

  EXPECT_NEAR(two.loss, mean_over(source, 6), kTolerance);
  EXPECT_EQ(two.tokens, 6 * kT);
  EXPECT_EQ(many.tokens, 8 * kT);
}

TEST_F(EvaluateTest, PredictsEveryTokenOnceWhateverTheStride) {
  // Window for window by hand: token p has the tokens of its window before it as context.
  const int64_t tokens = 3 * kT + 5;
  const TokenSource source = source_of(tokens);
  for (int64_t stride = 1; stride <= kT; ++stride) {
    double sum = 0;
    for (int64_t p = 1; p < tokens; ++p) {
      // The first window that reaches p; the last one is moved back to the end of the stream.
      const int64_t i = p <= kT ? 0 : (p - kT + stride - 1) / stride;
      const int64_t begin = std::min(i * stride, tokens - 1 - kT);
      sum += loss_at(source, p, p - begin);
    }

    const Evaluation e = evaluate(source, {.B = 2, .T = kT, .stride = stride});

    EXPECT_EQ(e.tokens, tokens - 1) << "stride " << stride;
    EXPECT_NEAR(e.loss, sum / double(tokens - 1), kTolerance) << "stride " << stride;
  }
}

TEST_F(EvaluateTest, WithAStrideOfItsLengthCountsTouchingWindowsAndTheRestOfTheLast) {
  // 19 predictions: [0, 7), [7, 14), and of the window [12, 19) those that are new.
  const TokenSource source = source_of(20);
  TrainingStep step(state_, {.B = 3, .T = kT});
  for (int64_t i = 0; i < 3; ++i) {
    source.sample(i, step.inputs().subspan(size_t(i * kT), kT),
                  step.targets().subspan(size_t(i * kT), kT));
  }
  make_executor("sequential", 1)->prepare(step.evaluation())->run();
  double sum = 0;
  for (int64_t row = 0; row < 3 * kT; ++row) {
    if (row < 2 * kT || row >= 2 * kT + 2) sum += double(step.losses()[size_t(row)]);
  }

  const Evaluation e = evaluate(source, 3);

  EXPECT_EQ(e.tokens, 19);
  EXPECT_EQ(e.loss, sum / 19.);  // the same batch in the same order: the same bits
}

TEST_F(EvaluateTest, RefusesAStrideThatWouldSkipTokens) {
  const TokenSource source = source_of(100);

  const auto error = [&](int64_t stride) {
    return error_of([&] { evaluate(source, {.B = 2, .T = kT, .stride = stride}); });
  };

  EXPECT_TRUE(mentions(error(kT + 1), {"--stride 8 is not in [1, 7]"}));
  EXPECT_TRUE(mentions(error(0), {"--stride 0"}));
}

TEST_F(EvaluateTest, OfAModelThatKnowsNothingIsTheLogarithmOfTheVocabulary) {
  state_ = TrainingState(kConfig);

  // All logits are zero; the loss of each of 56 tokens is rounded to float.
  EXPECT_NEAR(evaluate(source_of(57), 3).loss, std::log(double(kConfig.V)), 1e-6);
}

TEST_F(EvaluateTest, GivesTheSameBitsUnderEveryExecutor) {
  const TokenSource source = source_of(100);
  const double sequential = evaluate(source, 3).loss;

  EXPECT_EQ(evaluate(source, 3, 0, *make_executor("fork-join", 3)).loss, sequential);
  EXPECT_EQ(evaluate(source, 3, 0, *make_executor("tasks", 3)).loss, sequential);
}

TEST_F(EvaluateTest, ReportsItsProgress) {
  std::vector<std::pair<int64_t, int64_t>> calls;

  weft::evaluate(state_.weights, source_of(8 * kT + 1), {.B = 3, .T = kT, .stride = kT},
                 *make_executor("sequential", 1), GemmBackend::kAuto,
                 [&](int64_t done, int64_t total) { calls.emplace_back(done, total); });

  EXPECT_EQ(calls, (std::vector<std::pair<int64_t, int64_t>>{{1, 3}, {2, 3}, {3, 3}}));
}

TEST(CheckTokens, RefusesWhatTheModelCannotRead) {
  const auto error = [](const TokenSource& source, int64_t T) {
    return error_of([&] { check_tokens(source, kConfig, T); });
  };

  EXPECT_EQ(error(source_of(100), 13), "");
  EXPECT_TRUE(mentions(error(source_of(100), 14), {"--seq-len 14 is not in [1, 13]"}));
  EXPECT_TRUE(mentions(error(source_of(100), 0), {"--seq-len 0"}));
  EXPECT_TRUE(mentions(error(source_of(7), 7), {"7 tokens are too few"}));
  EXPECT_TRUE(
      mentions(error(TokenSource::from_tokens({1, 2, 131, 4}), 2), {"token id 131, and V is 131"}));
}

}  // namespace
}  // namespace weft
