#include "infer/evaluate_hellaswag.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "exec/executor.h"
#include "step/random_state.h"
#include "support/error_of.h"
#include "support/hellaswag_bytes.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

constexpr Config kConfig = {.L = 2, .NH = 3, .C = 15, .T = 47, .V = 131};

Numbers random_tokens(size_t n, uint64_t stream) {
  Numbers tokens;
  for (size_t i = 0; i < n; ++i) {
    tokens.push_back(static_cast<uint16_t>(random_u64(11, stream, i) % uint64_t(kConfig.V)));
  }
  return tokens;
}

// Contexts of 1 to 30 tokens and completions of 1 to 13.
std::vector<Question> random_questions(size_t n) {
  std::vector<Question> questions(n);
  for (size_t i = 0; i < n; ++i) {
    questions[i].context = random_tokens(1 + 7 * i % 30, 5 * i);
    for (size_t c = 0; c < 4; ++c) {
      questions[i].completions[c] = random_tokens(1 + (3 * i + 5 * c) % 13, 5 * i + c + 1);
    }
    questions[i].label = static_cast<uint16_t>(i % 4);
  }
  return questions;
}

class EvaluateHellaSwag : public testing::Test {
 protected:
  HellaSwag file(const std::vector<Question>& questions) const {
    return HellaSwag(directory_.write("questions.bin", hellaswag_bytes(questions)));
  }

  std::vector<CompletionLosses> losses(const std::vector<Question>& questions, HellaSwagPlan plan,
                                       const Executor& executor = *make_executor("sequential",
                                                                                 1)) const {
    return hellaswag_losses(state_.weights, file(questions), plan, executor, GemmBackend::kAuto);
  }

  // One completion after its context, alone and without padding.
  double loss_of(const Numbers& context, const Numbers& completion) const {
    Numbers tokens = context;
    tokens.insert(tokens.end(), completion.begin(), completion.end());
    const size_t n = tokens.size() - 1;
    TrainingStep step(state_, {.B = 1, .T = int64_t(n)});
    std::copy_n(tokens.begin(), n, step.inputs().begin());
    std::copy_n(tokens.begin() + 1, n, step.targets().begin());
    make_executor("sequential", 1)->prepare(step.evaluation())->run();
    double sum = 0;
    for (const float loss : step.losses().last(completion.size())) sum += double(loss);
    return sum;
  }

  TrainingState state_ = random_state(kConfig, 3);
  TempDirectory directory_;
};

// Sums of up to 13 losses of about 5 whose last bits depend on the shape of the batch.
constexpr double kTolerance = 1e-4;

TEST_F(EvaluateHellaSwag, SumsTheLossesOfEachCompletionAfterItsContext) {
  const std::vector<Question> questions = random_questions(9);

  for (const int64_t B : {1, 3, 50}) {
    const auto actual = losses(questions, {.B = B, .T = kConfig.T});

    ASSERT_EQ(actual.size(), 9u);
    for (size_t i = 0; i < 9; ++i) {
      for (size_t c = 0; c < 4; ++c) {
        EXPECT_NEAR(actual[i][c], loss_of(questions[i].context, questions[i].completions[c]),
                    kTolerance)
            << "example " << i << ", completion " << c << ", B " << B;
      }
    }
  }
}

TEST_F(EvaluateHellaSwag, GivesACompletionTheSameBitsWhateverIsBesideIt) {
  // Every row is below 32 tokens here, so that all batches have one shape.
  std::vector<Question> questions = random_questions(8);
  for (Question& question : questions) question.context.resize(1);
  const HellaSwagPlan plan = {.B = 5, .T = kConfig.T};
  const auto together = losses(questions, plan);

  for (size_t i = 0; i < questions.size(); ++i) {
    EXPECT_EQ(losses({questions[i]}, plan)[0], together[i]) << i;
  }
}

TEST_F(EvaluateHellaSwag, GivesTheSameBitsUnderEveryExecutor) {
  const std::vector<Question> questions = random_questions(5);
  const HellaSwagPlan plan = {.B = 3, .T = kConfig.T};
  const auto sequential = losses(questions, plan);

  EXPECT_EQ(losses(questions, plan, *make_executor("fork-join", 3)), sequential);
  EXPECT_EQ(losses(questions, plan, *make_executor("tasks", 3)), sequential);
}

TEST_F(EvaluateHellaSwag, CutsTheStartOfAContextThatDoesNotFit) {
  const Question question = {.context = random_tokens(20, 1),
                             .completions = {{random_tokens(9, 2), random_tokens(3, 3),
                                              random_tokens(1, 4), random_tokens(2, 5)}},
                             .label = 0};
  const int64_t T = 9;

  const auto actual = losses({question}, {.B = 4, .T = T});

  for (size_t c = 0; c < 4; ++c) {
    const Numbers& completion = question.completions[c];
    const auto kept = std::ptrdiff_t(size_t(T) + 1 - completion.size());
    const Numbers context(question.context.end() - kept, question.context.end());
    EXPECT_NEAR(actual[0][c], loss_of(context, completion), kTolerance) << c;
  }
  EXPECT_EQ(hellaswag_score(file({question}), actual, T).truncated, 1);
  EXPECT_EQ(hellaswag_score(file({question}), actual, 28).truncated, 0);
  EXPECT_EQ(hellaswag_score(file({question}), actual, 27).truncated, 1);
}

TEST_F(EvaluateHellaSwag, StopsAtItsLimit) {
  const std::vector<Question> questions = random_questions(5);
  const auto all = losses(questions, {.B = 100, .T = kConfig.T});

  const auto two = losses(questions, {.B = 4, .T = kConfig.T, .limit = 2});

  ASSERT_EQ(two.size(), 2u);
  EXPECT_NEAR(two[1][3], all[1][3], kTolerance);
  EXPECT_EQ(losses(questions, {.B = 4, .T = kConfig.T, .limit = 100}).size(), 5u);
  EXPECT_EQ(hellaswag_score(file(questions), two, kConfig.T).examples, 2);
}

TEST_F(EvaluateHellaSwag, RefusesWhatTheModelCannotRead) {
  std::vector<Question> questions = random_questions(3);
  const auto error = [&](HellaSwagPlan plan) { return error_of([&] { losses(questions, plan); }); };
  EXPECT_TRUE(mentions(error({.B = 1, .T = 48}), {"--seq-len 48 is not in [1, 47]"}));
  EXPECT_TRUE(mentions(error({.B = 1, .T = 5}), {"completion", "tokens, more than T = 5"}));

  questions[1].completions[2].back() = 131;

  EXPECT_TRUE(mentions(error({.B = 1, .T = 47}), {"token id 131, and V is 131"}));
  EXPECT_EQ(error({.B = 1, .T = 47, .limit = 1}), "");
}

TEST_F(EvaluateHellaSwag, ReportsItsProgress) {
  std::vector<std::pair<int64_t, int64_t>> calls;

  hellaswag_losses(state_.weights, file(random_questions(2)), {.B = 3, .T = kConfig.T},
                   *make_executor("sequential", 1), GemmBackend::kAuto,
                   [&](int64_t done, int64_t total) { calls.emplace_back(done, total); });

  EXPECT_EQ(calls, (std::vector<std::pair<int64_t, int64_t>>{{1, 3}, {2, 3}, {3, 3}}));
}

class ScoreHellaSwag : public EvaluateHellaSwag {
 protected:
  HellaSwagScore score(uint16_t label, const CompletionLosses& losses) const {
    // Completions of 1, 2, 3 and 4 tokens.
    const Question question = {
        .context = {1}, .completions = {{{1}, {1, 2}, {1, 2, 3}, {1, 2, 3, 4}}}, .label = label};
    return hellaswag_score(file({question}), {losses}, kConfig.T);
  }
};

TEST_F(ScoreHellaSwag, ComparesSumsAndMeansPerToken) {
  const CompletionLosses losses = {2., 2.5, 6., 4.};  // per token: 2, 1.25, 2, 1

  EXPECT_EQ(score(0, losses).accuracy, 1.);
  EXPECT_EQ(score(0, losses).accuracy_norm, 0.);
  EXPECT_EQ(score(3, losses).accuracy, 0.);
  EXPECT_EQ(score(3, losses).accuracy_norm, 1.);
}

TEST_F(ScoreHellaSwag, GivesEqualLossesToTheFirst) {
  EXPECT_EQ(score(1, {3., 2., 2., 9.}).accuracy, 1.);
  EXPECT_EQ(score(2, {3., 2., 2., 9.}).accuracy, 0.);
}

TEST_F(ScoreHellaSwag, NeverCallsANaNRight) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (uint16_t label = 0; label < 4; ++label) {
    EXPECT_EQ(score(label, {nan, nan, nan, nan}).accuracy, 0.);
    EXPECT_EQ(score(label, {nan, nan, nan, nan}).accuracy_norm, 0.);
  }
}

}  // namespace
}  // namespace weft
