#include "run/divergence.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <string>

#include "formats/hf_model.h"
#include "run/trainer_fixture.h"
#include "step/random_state.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

class DivergenceTest : public TrainerTest {};

// The step that diverges is not saved; the error names it and the last good checkpoint.
TEST_F(DivergenceTest, StopsWhenTheLossIsNotFinite) {
  TrainSettings s = settings();
  s.schedule = {.kind = ScheduleKind::kConstant, .lr = 1e30};
  s.checkpoints.every = 1;

  const std::string error = error_of_run(s);

  EXPECT_TRUE(mentions(error, {"[train] step 2: loss", "step_00000001", "lower --lr"}));
  EXPECT_TRUE(fs::exists(s.output.directory / "checkpoints/step_00000001"));
  EXPECT_FALSE(fs::exists(s.output.directory / "checkpoints/step_00000002"));
  EXPECT_EQ(logged_steps(s.output.directory).size(), 1u);
}

TEST_F(DivergenceTest, StopsAtOnceWhereTheInitialWeightsAreBroken) {
  TrainingState state = random_state(kModel, 1);
  for (float& value : state.weights.vector(Tensor::fcw, 1)) {
    value = std::numeric_limits<float>::quiet_NaN();
  }
  write_hf_model(dir_ / "init", state.weights, 256);
  TrainSettings s = settings();
  s.init = dir_ / "init";
  s.checkpoints.every = 1;

  for (const float grad_clip : {1.f, 0.f}) {
    s.step.grad_clip = grad_clip;
    s.output.directory = dir_ / ("clip" + std::to_string(grad_clip));

    EXPECT_TRUE(mentions(error_of_run(s), {"[train] step 1: loss nan", "no checkpoint yet"}));
    EXPECT_FALSE(fs::exists(s.output.directory / "checkpoints"));
  }
}

}  // namespace
}  // namespace weft
