#include "app/commands/train/run_watch.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/error_of.h"

namespace weft {
namespace {

class RunWatchTest : public testing::Test {
 protected:
  // The warnings of the next step.
  std::vector<std::string> take(double loss, double grad_norm = 1., double step_ms = 100.) {
    StepReport step;
    step.step = ++steps_;
    step.loss = loss;
    step.grad_norm = grad_norm;
    step.step_ms = step_ms;
    return watch_.look_at(step);
  }

  // Warnings of steps whose losses fall from 10 to 3, with the noise of batches.
  size_t take_usual_steps(int steps) {
    size_t warnings = 0;
    for (int i = 0; i < steps; ++i) {
      const double noise = 0.1 * std::sin(7. * i) + 0.1 * std::cos(3.1 * i);
      warnings +=
          take(3. + 7. * std::exp(-0.05 * i) + noise, 1. + noise, 100. + 20. * noise).size();
    }
    return warnings;
  }

  RunWatch watch_;
  int64_t steps_ = 0;
};

TEST_F(RunWatchTest, HasNothingToSayOfARunThatGoesWell) { EXPECT_EQ(take_usual_steps(1000), 0u); }

TEST_F(RunWatchTest, ALossThatJumpsIsNamedOnce) {
  take_usual_steps(200);

  const std::vector<std::string> first = take(6.5), second = take(6.6);

  ASSERT_EQ(first.size(), 1u);
  EXPECT_TRUE(mentions(first[0], {"step 201", "the loss jumped to 6.5000", "from 3.", "--lr"}));
  EXPECT_TRUE(second.empty());
}

TEST_F(RunWatchTest, ALossThatJumpsAgainLaterIsNamedAgain) {
  take_usual_steps(200);
  ASSERT_EQ(take(6.5).size(), 1u);
  for (int i = 0; i < 400; ++i) EXPECT_TRUE(take(3.).empty());

  EXPECT_EQ(take(8.).size(), 1u);
}

// Losses of batches that differ a lot are no jumps.
TEST_F(RunWatchTest, NoisyLossesAreUsual) {
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(take(i % 2 == 0 ? 2. : 4.).empty()) << i;
}

TEST_F(RunWatchTest, AGradientThatGrowsTenfoldAnnouncesTrouble) {
  take_usual_steps(200);

  EXPECT_TRUE(take(3., 9.).empty());
  const std::vector<std::string> warnings = take(3., 25.);

  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(mentions(warnings[0], {"step 202", "gradient norm jumped to 25", "diverge"}));
}

TEST_F(RunWatchTest, TheFirstStepsAreNotJudged) {
  EXPECT_TRUE(take(1., 1., 5000.).empty());
  EXPECT_TRUE(take(9., 100., 1.).empty());
}

TEST_F(RunWatchTest, StepsThatStaySlowAreNamedOnceAndAMomentIsNot) {
  for (int i = 0; i < 100; ++i) take(3., 1., 1000.);
  EXPECT_TRUE(take(3., 1., 60000.).empty());
  EXPECT_TRUE(take(3., 1., 1000.).empty());

  std::vector<std::string> warnings;
  for (int i = 0; i < 100; ++i) {
    for (const std::string& warning : take(3., 1., 2500.)) warnings.push_back(warning);
  }

  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(mentions(warnings[0], {"step 112", "last 10 steps took 2.5 s each", "before 1 s"}));
}

// A tiny model's steps are slow whenever the machine does something else.
TEST_F(RunWatchTest, SlowStepsThatTakeNoTimeAreNotNamed) {
  for (int i = 0; i < 100; ++i) take(3., 1., 1.);

  for (int i = 0; i < 100; ++i) EXPECT_TRUE(take(3., 1., 5.).empty());
}

TEST_F(RunWatchTest, SavingThatTakesMuchOfTheRunIsNamedOnce) {
  take(3.);
  watch_.saved(0.9, 1.);
  EXPECT_TRUE(take(3.).empty());
  watch_.saved(10., 100.);
  EXPECT_TRUE(take(3.).empty());
  watch_.saved(30., 100.);

  const std::vector<std::string> warnings = take(3.);
  watch_.saved(30., 100.);

  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(mentions(warnings[0], {"30 s", "30.0 %", "--checkpoint-every"}));
  EXPECT_TRUE(take(3.).empty());
}

}  // namespace
}  // namespace weft
