#include "run/run_plan.h"

#include <gtest/gtest.h>

#include <string>

#include "run/trainer_fixture.h"

namespace weft {
namespace {

class RunPlanTest : public TrainerTest {};

TEST_F(RunPlanTest, CountsTokensAndFollowsTheSchedule) {
  TrainSettings s = settings();
  s.batches.total_tokens = 2 * kB * kT;
  run(s);

  Schedule schedule = s.schedule;
  schedule.steps = 7;
  ASSERT_EQ(recorder_.steps.size(), 7u);
  for (int64_t i = 0; i < 7; ++i) {
    const StepReport& r = recorder_.steps[size_t(i)];
    EXPECT_EQ(r.step, i + 1);
    EXPECT_EQ(r.steps, 7);
    EXPECT_EQ(r.lr, schedule.at(i));
    EXPECT_EQ(r.tokens, (i + 1) * 2 * kB * kT);
  }
}

TEST_F(RunPlanTest, StepsFollowFromEpochs) {
  TrainSettings s = settings();
  s.batches.steps = 0;
  s.batches.epochs = 0.25;
  run(s);

  const double samples = double(dataset_.train.samples(kT));
  EXPECT_EQ(std::ssize(recorder_.steps), std::llround(0.25 * samples / double(kB)));
}

}  // namespace
}  // namespace weft
