#include "infer/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "exec/executor.h"
#include "step/random_state.h"
#include "support/error_of.h"

namespace weft {
namespace {

// T is above the block of 64 tokens that a prompt is read in by, and divides by nothing; five
// layers take turns with two sets of activations.
constexpr Config kConfig = {.L = 5, .NH = 3, .C = 15, .T = 97, .V = 131};

// Logits are of order one. They come from the same sums of at most 97 terms in another order
// (other tiles, another attention kernel): about ten layers, each off by a few eps = 1.2e-7.
constexpr double kTolerance = 1e-5;

std::vector<int32_t> tokens(int64_t n) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < n; ++i) {
    ids.push_back(static_cast<int32_t>(random_u64(7, 0, uint64_t(i)) % uint64_t(kConfig.V)));
  }
  return ids;
}

std::vector<float> copy_of(Vector<const float> values) { return {values.begin(), values.end()}; }

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], kTolerance) << "logit " << i;
  }
}

class GeneratorTest : public testing::Test {
 protected:
  std::unique_ptr<Generator> generator(const char* executor = "sequential", int threads = 1) {
    executor_ = make_executor(executor, threads);
    return std::make_unique<Generator>(state_.weights, *executor_);
  }

  // The logits that follow the tokens, given to a fresh generator in pieces of the given length.
  std::vector<float> logits_after(const std::vector<int32_t>& ids, size_t piece) {
    const auto fresh = generator();
    std::vector<float> logits;
    for (size_t i = 0; i < ids.size(); i += piece) {
      const size_t n = std::min(piece, ids.size() - i);
      logits = copy_of(fresh->feed(Vector<const int32_t>(ids).subspan(i, n)));
    }
    return logits;
  }

  TrainingState state_ = random_state(kConfig, 3);
  std::unique_ptr<Executor> executor_;
};

TEST_F(GeneratorTest, ReadsAPromptInAnyPieces) {
  for (const int64_t n : {1, 2, 63, 64, 65, 97}) {
    SCOPED_TRACE(n);
    const std::vector<int32_t> prompt = tokens(n);
    const std::vector<float> one_by_one = logits_after(prompt, 1);

    for (const size_t piece : {2, 13, 64, 97}) expect_near(logits_after(prompt, piece), one_by_one);
  }
}

TEST_F(GeneratorTest, WithBf16WeightsHasTheBitsOfTheSameRoundedWeights) {
  const std::vector<int32_t> prompt = tokens(70);
  const std::vector<float> unrounded = logits_after(prompt, 1);
  const Bf16Weights bf16(state_.weights);  // rounds state_'s, too
  Generator decoder(state_.weights, *executor_, GemmBackend::kAuto, &bf16);

  std::vector<float> logits;
  for (const int32_t& token : prompt) {
    logits = copy_of(decoder.feed(Vector<const int32_t>(&token, 1)));
  }

  EXPECT_EQ(logits, logits_after(prompt, 1));
  EXPECT_NE(logits, unrounded);
}

// -log softmax(logits)[target] of every prefix is the loss that training computes at that row.
TEST_F(GeneratorTest, AgreesWithTheForwardPassOfTraining) {
  const std::vector<int32_t> text = tokens(kConfig.T + 1);
  TrainingStep step(state_, {.B = 1, .T = kConfig.T});
  std::copy(text.begin(), text.end() - 1, step.inputs().begin());
  std::copy(text.begin() + 1, text.end(), step.targets().begin());
  make_executor("sequential", 1)->prepare(step.evaluation())->run();

  const auto one_by_one = generator();
  for (size_t t = 0; t < size_t(kConfig.T); ++t) {
    const Vector<const float> logits = one_by_one->feed(Vector<const int32_t>(&text[t], 1));
    double sum = 0;
    for (const float logit : logits) sum += std::exp(double(logit));
    const double loss = std::log(sum) - double(logits[size_t(text[t + 1])]);
    ASSERT_NEAR(loss, step.losses()[t], kTolerance) << "position " << t;
  }
}

// The cache is full at 97 tokens; the newest 48 are kept, and the rest follows.
TEST_F(GeneratorTest, ContinuesFromTheNewestHalfOfAFullContext) {
  const std::vector<int32_t> text = tokens(97 + 40);
  const std::vector<int32_t> window(text.begin() + 97 - 48, text.end());

  expect_near(logits_after(text, 1), logits_after(window, 1));
  expect_near(logits_after(text, text.size()), logits_after(window, 1));
}

TEST_F(GeneratorTest, GoesOnFarBeyondTheContext) {
  const std::vector<int32_t> text = tokens(5 * kConfig.T + 3);

  expect_near(logits_after(text, text.size()), logits_after(text, 1));
}

TEST_F(GeneratorTest, WorksWithAContextOfOneToken) {
  state_ = random_state({.L = 1, .NH = 1, .C = 5, .T = 1, .V = 131}, 3);
  const std::vector<int32_t> text = tokens(4);

  // Nothing but the last token is in view.
  EXPECT_EQ(logits_after(text, 4), logits_after({text.back()}, 1));
}

TEST_F(GeneratorTest, AfterAResetIsAsNew) {
  const std::vector<int32_t> prompt = tokens(5);
  const auto used = generator();
  used->feed(tokens(90));

  used->reset();

  EXPECT_EQ(copy_of(used->feed(prompt)), logits_after(prompt, 5));
}

TEST_F(GeneratorTest, GivesTheSameBitsUnderEveryExecutor) {
  const std::vector<int32_t> prompt = tokens(90);
  const std::vector<float> sequential = copy_of(generator()->feed(prompt));

  EXPECT_EQ(copy_of(generator("fork-join", 3)->feed(prompt)), sequential);
  EXPECT_EQ(copy_of(generator("tasks", 3)->feed(prompt)), sequential);
}

TEST_F(GeneratorTest, RefusesNoTokensAndIdsOutsideTheVocabulary) {
  const auto g = generator();
  const auto feed_error = [&](const std::vector<int32_t>& ids) {
    return error_of([&] { g->feed(ids); });
  };

  EXPECT_TRUE(mentions(feed_error({}), {"no token"}));
  EXPECT_TRUE(mentions(feed_error({1, 131}), {"token id 131 is not below V=131"}));
  EXPECT_TRUE(mentions(feed_error({-1}), {"token id -1"}));
}

TEST_F(GeneratorTest, AfterARefusalContinuesAsIfNothingHadHappened) {
  const std::vector<int32_t> text = tokens(6);
  const auto g = generator();
  g->feed(Vector<const int32_t>(text).first(5));
  error_of([&] { g->feed(std::vector<int32_t>{1, 999}); });

  const std::vector<float> logits = copy_of(g->feed(Vector<const int32_t>(text).last(1)));

  expect_near(logits, logits_after(text, 1));
}

TEST_F(GeneratorTest, GenerateDrawsTokenByToken) {
  const SamplingSettings settings = {.temperature = 0.9, .top_k = 50, .seed = 5};
  const std::vector<int32_t> prompt = tokens(3);
  std::vector<int32_t> emitted;

  generate(*generator(), prompt, 7, settings, [&](int32_t token) {
    emitted.push_back(token);
    return true;
  });

  std::vector<int32_t> expected;
  const auto by_hand = generator();
  std::vector<float> logits = copy_of(by_hand->feed(prompt));
  for (uint64_t i = 0; i < 7; ++i) {
    expected.push_back(sample_token(logits, settings, i));
    logits = copy_of(by_hand->feed(Vector<const int32_t>(&expected.back(), 1)));
  }
  EXPECT_EQ(emitted, expected);
}

TEST_F(GeneratorTest, GenerateStopsWhenEmitSaysSo) {
  int calls = 0;

  generate(*generator(), tokens(3), 100, {}, [&](int32_t) { return ++calls < 4; });
  EXPECT_EQ(calls, 4);

  generate(*generator(), tokens(3), 0, {}, [&](int32_t) { return ++calls < 4; });
  EXPECT_EQ(calls, 4);
}

// Ids 0 to 3 with probabilities one half, one fifth, one fifth and one tenth.
std::vector<float> four_logits() {
  std::vector<float> logits;
  for (const double p : {0.5, 0.2, 0.2, 0.1}) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

// Draws 20,000 tokens; their shares lie within five standard errors of the expected ones.
void expect_shares(const SamplingSettings& settings, const std::vector<double>& expected) {
  constexpr int kDraws = 20000;
  std::vector<int> counts(expected.size());
  for (uint64_t i = 0; i < kDraws; ++i) ++counts[size_t(sample_token(four_logits(), settings, i))];

  for (size_t id = 0; id < expected.size(); ++id) {
    const double p = expected[id], error = std::sqrt(p * (1. - p) / kDraws);
    EXPECT_NEAR(double(counts[id]) / kDraws, p, 5. * error) << "token " << id;
  }
}

TEST(SampleToken, FollowsTheSoftmax) { expect_shares({}, {0.5, 0.2, 0.2, 0.1}); }

TEST(SampleToken, FlattensAndSharpensWithTheTemperature) {
  const double a = std::sqrt(0.5), b = std::sqrt(0.2), c = std::sqrt(0.1), sum = a + 2 * b + c;
  expect_shares({.temperature = 2.}, {a / sum, b / sum, b / sum, c / sum});
  expect_shares({.temperature = 0.5}, {0.25 / 0.34, 0.04 / 0.34, 0.04 / 0.34, 0.01 / 0.34});
}

TEST(SampleToken, KeepsTheTopKAndOfEqualOnesTheLowerId) {
  expect_shares({.top_k = 2}, {5. / 7., 2. / 7., 0., 0.});
  expect_shares({.top_k = 3}, {5. / 9., 2. / 9., 2. / 9., 0.});
}

TEST(SampleToken, KeepsAllForATopKBeyondTheVocabulary) {
  for (const int64_t top_k : {4, 5, 1000}) {
    expect_shares({.top_k = top_k}, {0.5, 0.2, 0.2, 0.1});
  }
}

TEST(SampleToken, KeepsTheSmallestSetThatReachesTopP) {
  expect_shares({.top_p = 0.45}, {1., 0., 0., 0.});
  expect_shares({.top_p = 0.65}, {5. / 7., 2. / 7., 0., 0.});
  expect_shares({.top_p = 0.85}, {5. / 9., 2. / 9., 2. / 9., 0.});
  expect_shares({.top_p = 0.95}, {0.5, 0.2, 0.2, 0.1});
}

// Of the three that top_k keeps, the first two have seven ninths.
TEST(SampleToken, AppliesTopPToWhatTopKKeeps) {
  expect_shares({.top_k = 3, .top_p = 0.75}, {5. / 7., 2. / 7., 0., 0.});
}

TEST(SampleToken, IsGreedyWhereOnlyOneTokenIsLeft) {
  const std::vector<float> logits = {0.f, 3.f, -1.f, 3.f, 2.f};
  for (uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(sample_token(logits, {.temperature = 0.}, i), 1);
    EXPECT_EQ(sample_token(logits, {.temperature = 5., .top_k = 1}, i), 1);
    EXPECT_EQ(sample_token(logits, {.temperature = 5., .top_p = 1e-9}, i), 1);
  }
}

TEST(SampleToken, IsAPureFunctionOfSeedAndIndex) {
  const std::vector<float> logits(1000, 0.f);
  std::set<int32_t> by_index, by_seed;
  for (uint64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(sample_token(logits, {.seed = 9}, i), sample_token(logits, {.seed = 9}, i));
    by_index.insert(sample_token(logits, {.seed = 9}, i));
    by_seed.insert(sample_token(logits, {.seed = i}, 9));
  }
  EXPECT_GT(by_index.size(), 5u);
  EXPECT_GT(by_seed.size(), 5u);
}

TEST(SampleToken, SurvivesLargeLogits) {
  const std::vector<float> logits = {-3e38f, 3e38f, 0.f};
  for (uint64_t i = 0; i < 10; ++i) EXPECT_EQ(sample_token(logits, {.temperature = 0.01}, i), 1);
}

// The weights of a run that diverged: no order may be built on NaN.
TEST(SampleToken, GivesSomeTokenOfABrokenModel) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float rest : {0.f, kNaN, kInfinity, -kInfinity}) {
    std::vector<float> logits(997, rest);
    for (size_t i = 0; i < logits.size(); i += 3) logits[i] = kNaN;
    for (const SamplingSettings& settings :
         {SamplingSettings{}, {.temperature = 0.}, {.top_k = 40}, {.top_p = 0.9}}) {
      const int32_t token = sample_token(logits, settings, 1);
      EXPECT_GE(token, 0);
      EXPECT_LT(token, 997);
      EXPECT_TRUE(rest != 0.f || token % 3 != 0) << "an impossible token";
    }
  }
}

TEST(SamplingSettings, AreValidated) {
  const auto error = [](const SamplingSettings& s) { return error_of([&] { validate(s); }); };
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();

  EXPECT_EQ(error({}), "");
  EXPECT_EQ(error({.temperature = 0., .top_k = 1, .top_p = 1e-9}), "");
  for (const double temperature : {-0.1, kNaN, kInfinity}) {
    EXPECT_TRUE(mentions(error({.temperature = temperature}), {"--temperature"}));
  }
  EXPECT_TRUE(mentions(error({.top_k = -1}), {"--top-k"}));
  for (const double top_p : {0., -0.5, 1.1, kNaN}) {
    EXPECT_TRUE(mentions(error({.top_p = top_p}), {"--top-p"}));
  }
}

}  // namespace
}  // namespace weft
