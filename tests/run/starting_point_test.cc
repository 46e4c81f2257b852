#include "run/starting_point.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "run/trainer_fixture.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

class StartingPointTest : public TrainerTest {};

TEST_F(StartingPointTest, AStoppedRunContinuesToTheSameBits) {
  TrainSettings s = settings();
  run(settings("reference"));

  run_and_stop(s, 3, {"tasks", 3});
  EXPECT_EQ(recorder_.saves.back(),
            std::pair(int64_t{3}, s.output.directory / "checkpoints/step_00000003"));
  s.output.resume = true;
  EXPECT_EQ(run(s, {"fork-join", 2}), TrainOutcome::kFinished);

  EXPECT_EQ(recorder_.reports.at(0).first_step, 4);
  EXPECT_TRUE(mentions(recorder_.notes, {"resumed from", "step_00000003"}));
  EXPECT_FALSE(mentions(recorder_.notes, {"changed"}));
  expect_same_bits(s.output.directory, dir_ / "reference");
}

TEST_F(StartingPointTest, AStoppedRunWithAccumulationContinuesToTheSameBits) {
  TrainSettings reference = settings("reference"), s = settings();
  reference.batches.total_tokens = s.batches.total_tokens = 3 * kB * kT;
  run(reference);

  run_and_stop(s, 4);
  s.output.resume = true;
  run(s, {"tasks", 2});

  expect_same_bits(s.output.directory, reference.output.directory);
}

TEST_F(StartingPointTest, AStoppedRunContinuesToTheSameBitsWhetherItRecomputesOrNot) {
  TrainSettings reference = settings("reference");
  reference.model.L = 5;
  run(reference);

  for (const bool before : {false, true}) {
    TrainSettings s = reference;
    s.output.directory = dir_ / (before ? "recompute_first" : "recompute_later");
    s.step.recompute_blocks = before;
    run_and_stop(s, 3);
    s.output.resume = true;
    s.step.recompute_blocks = !before;
    run(s);

    EXPECT_FALSE(mentions(recorder_.notes, {"changed"}));
    expect_same_bits(s.output.directory, reference.output.directory);
  }
}

TEST_F(StartingPointTest, ARunThatLostItsMachineContinuesFromItsLastCheckpoint) {
  TrainSettings s = settings();
  s.checkpoints.every = 2;
  run(settings("reference"));

  run_and_lose_the_machine(s, 5);
  EXPECT_EQ(logged_steps(s.output.directory).size(), 5u);
  fs::create_directories(s.output.directory / "checkpoints/.unfinished_step_00000006");
  s.output.resume = true;
  run(s, {"tasks", 2});

  EXPECT_EQ(recorder_.reports.at(0).first_step, 5);
  EXPECT_FALSE(fs::exists(s.output.directory / "checkpoints/.unfinished_step_00000006"));
  expect_same_bits(s.output.directory, dir_ / "reference");
}

TEST_F(StartingPointTest, ADamagedCheckpointIsSkippedForTheOneBefore) {
  TrainSettings s = settings();
  s.checkpoints.every = 2;
  run(settings("reference"));
  run_and_stop(s, 6);
  const fs::path damaged = s.output.directory / "checkpoints/step_00000006/optimizer.safetensors";
  fs::resize_file(damaged, fs::file_size(damaged) - 4);

  s.output.resume = true;
  run(s, {"tasks", 2});

  EXPECT_EQ(recorder_.reports.at(0).first_step, 5);
  EXPECT_TRUE(mentions(recorder_.notes, {"skipped", "step_00000006", "optimizer.safetensors",
                                         "resumed from", "step_00000004"}));
  expect_same_bits(s.output.directory, dir_ / "reference");
}

TEST_F(StartingPointTest, ResumeStartsAfreshWhereNoCheckpointIsGood) {
  TrainSettings s = settings();
  run(settings("reference"));
  run_and_stop(s, 2);
  fs::remove(s.output.directory / "checkpoints/step_00000002/state.json");

  s.output.resume = true;
  run(s);

  EXPECT_EQ(recorder_.reports.at(0).first_step, 1);
  expect_same_bits(s.output.directory, dir_ / "reference");
}

TEST_F(StartingPointTest, ResumingAFinishedRunChangesNothing) {
  TrainSettings s = settings();
  run(s);
  const std::map<int64_t, StepBits> before = logged_steps(s.output.directory);

  s.output.resume = true;
  EXPECT_EQ(run(s), TrainOutcome::kFinished);

  EXPECT_TRUE(recorder_.steps.empty());
  EXPECT_EQ(logged_steps(s.output.directory), before);
}

TEST_F(StartingPointTest, StartsFromTheWeightsThatItIsGiven) {
  run(settings("first"));
  TrainSettings s = settings("second");
  s.init = dir_ / "first";
  s.batches.steps = 1;
  s.schedule.lr = 0.;

  run(s);

  EXPECT_TRUE(read_file(s.output.directory / "checkpoints/step_00000001/model.safetensors") ==
              read_file(dir_ / "first/checkpoints/step_00000007/model.safetensors"));
}

}  // namespace
}  // namespace weft
