#include "step/training_step.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "comm/single_process.h"
#include "exec/executor.h"
#include "optim/adamw.h"
#include "step/random_state.h"

namespace weft {
namespace {

constexpr Config kModel = {.L = 2, .NH = 3, .C = 15, .T = 11, .V = 31};

bool has_kind(const Program& program, const std::string& kind) {
  return std::ranges::any_of(program.ops(), [&](const Op& op) { return op.name.kind == kind; });
}

void fill_tokens(const TrainingStep& step) {
  std::ranges::fill(step.inputs(), 3);
  std::ranges::fill(step.targets(), 5);
}

void run(const Program& program) { make_executor("sequential", 1)->prepare(program)->run(); }

std::vector<float> values_of(const ParameterView& view) {
  return {view.data.begin(), view.data.end()};
}

TEST(TrainingStep, UpdatesWeightsInItsOwnProgramWithoutClipping) {
  const TrainingState state = random_state(kModel, 1);
  TrainingStep step(state, {.B = 3, .T = 7, .grad_clip = 0.});
  const std::vector<float> before = values_of(state.weights);

  fill_tokens(step);
  step.set_step(1, 1e-2);
  run(step.program(0));

  EXPECT_NE(values_of(state.weights), before);
  EXPECT_FALSE(step.begin_deferred_update());
}

TEST(TrainingStep, DefersItsUpdateToTheNextStepWithClipping) {
  const TrainingState state = random_state(kModel, 1);
  TrainingStep step(state, {.B = 3, .T = 7, .grad_clip = 1.});
  const std::vector<float> before = values_of(state.weights);

  fill_tokens(step);
  step.set_step(1, 1e-2);
  run(step.program(0));
  EXPECT_EQ(values_of(state.weights), before);

  ASSERT_TRUE(step.begin_deferred_update());
  run(step.deferred_update());
  EXPECT_NE(values_of(state.weights), before);
  EXPECT_FALSE(step.begin_deferred_update());
}

TEST(TrainingStep, UpdatesInTheLastMicroStepAlone) {
  const TrainingState state(kModel);
  const TrainingStep step(state, {.B = 3, .T = 7, .micro_steps = 3, .grad_clip = 0.});

  EXPECT_EQ(step.micro_steps(), 3);
  EXPECT_FALSE(has_kind(step.program(0), "norm"));
  EXPECT_FALSE(has_kind(step.program(1), "update"));
  EXPECT_TRUE(has_kind(step.program(2), "norm"));
  EXPECT_TRUE(has_kind(step.program(2), "update"));
  EXPECT_EQ(step.programs(0).size(), 1u);
}

TEST(TrainingStep, NeedsADistributionOnlyAmongRanksOrForTheirBits) {
  SingleProcess alone;
  StepSettings settings{.communicator = &alone};
  EXPECT_FALSE(settings.is_distributed());
  settings.distribution.reproducible = true;
  EXPECT_TRUE(settings.is_distributed());

  settings.grad_clip = 0.;
  EXPECT_TRUE(settings.defers_updates());
}

TEST(TrainingState, HasTheStateThatItsOptimizerNames) {
  const AdamW adamw;
  const TrainingState state(kModel, adamw);

  ASSERT_EQ(state.optimizer_state.size(), 2u);
  EXPECT_EQ(state.optimizer_state[0].name, "m");
  EXPECT_EQ(state.optimizer_state[1].name, "v");
  EXPECT_EQ(state.optimizer_state_bytes(), 2 * state.weights.data.size_bytes());
  EXPECT_EQ(TrainingState::bytes(kModel, adamw), 4 * state.weights.data.size_bytes());
}

}  // namespace
}  // namespace weft
