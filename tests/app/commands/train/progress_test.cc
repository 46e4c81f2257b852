#include "app/commands/train/progress.h"

#include <gtest/gtest.h>

#include "support/error_of.h"

namespace weft {
namespace {

StepReport halfway() {
  StepReport step;
  step.step = 50;
  step.steps = 100;
  step.loss = 3.14159;
  step.lr = 3e-4;
  step.grad_norm = 1.5;
  step.tokens_per_s = 12345.6;
  step.mfu = 0.4123;
  return step;
}

TEST(Progress, AStepLineSaysEverything) {
  EXPECT_EQ(step_line(halfway(), 75.),
            "step 50/100  loss 3.1416  grad 1.500  lr 3.00e-04  12,346 tok/s  mfu 41.2 %  "
            "eta 1:15");
}

TEST(Progress, WithoutAPeakThereIsNoMfu) {
  StepReport step = halfway();
  step.mfu = 0.;

  EXPECT_EQ(step_line(step, 1.).find("mfu"), std::string::npos);
  EXPECT_EQ(live_line(step, 1., 100).find("mfu"), std::string::npos);
}

TEST(Progress, TheBarShowsTheShareOfTheSteps) {
  const std::string line = live_line(halfway(), 75., 120);

  EXPECT_TRUE(line.starts_with("[############............] 50/100  loss 3.1416")) << line;
}

TEST(Progress, TheLiveLineFitsEveryWidth) {
  for (int width = 0; width < 130; ++width) {
    EXPECT_LE(live_line(halfway(), 75., width).size(), static_cast<size_t>(width));
  }
}

TEST(Progress, ANarrowTerminalLosesTheBarFirst) {
  EXPECT_TRUE(live_line(halfway(), 75., 55).starts_with("50/100  loss 3.1416"));
}

}  // namespace
}  // namespace weft
