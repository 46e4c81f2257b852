#include "run/trainer.h"

#include <gtest/gtest.h>

#include <string>

#include "run/trainer_fixture.h"

namespace weft {
namespace {

using nlohmann::json;

TEST_F(TrainerTest, LearnsARepetitiveText) {
  TrainSettings s = settings();
  s.model.C = 48;
  s.batches.steps = 160;
  s.schedule.lr = 2e-2;

  EXPECT_EQ(run(s, {"tasks", 2}), TrainOutcome::kFinished);

  // At first every id is as likely as any other. Letter frequencies alone would bring the loss to
  // 2.8, the entropy of this text's bytes: what is below has been learned from the letters before.
  EXPECT_NEAR(recorder_.steps.front().loss, std::log(257.), 0.1);
  EXPECT_LT(recorder_.steps.back().loss, 1.8);
  ASSERT_EQ(recorder_.validations.size(), 1u);
  EXPECT_LT(recorder_.validations.back().second, 1.8);
}

TEST_F(TrainerTest, EveryExecutorAndThreadCountLeavesTheSameBits) {
  for (const int64_t micro_steps : {1, 4}) {
    const std::string suffix = "_" + std::to_string(micro_steps);
    TrainSettings reference = settings("reference" + suffix);
    reference.batches.steps = 3;
    reference.batches.total_tokens = micro_steps * kB * kT;
    run(reference);

    for (const Parallelism& p : {Parallelism{"sequential", 1},
                                 {"fork-join", 1},
                                 {"fork-join", 2},
                                 {"fork-join", 3},
                                 {"fork-join", 7},
                                 {"tasks", 1},
                                 {"tasks", 2},
                                 {"tasks", 3},
                                 {"tasks", 7}}) {
      SCOPED_TRACE(testing::Message() << p << ", micro-steps " << micro_steps);
      TrainSettings s = reference;
      s.output.directory = dir_ / (p.executor + std::to_string(p.threads) + suffix);

      EXPECT_EQ(run(s, p), TrainOutcome::kFinished);

      expect_same_bits(s.output.directory, reference.output.directory, 3);
    }
  }
}

TEST_F(TrainerTest, RecomputingBlocksLeavesTheSameFiles) {
  for (const int64_t micro_steps : {1, 3}) {
    for (const double grad_clip : {0., 0.5}) {
      const std::string suffix = fmt::format("_{}_{}", micro_steps, grad_clip);
      TrainSettings reference = settings("reference" + suffix);
      reference.model.L = 5;
      reference.batches.steps = 3;
      reference.batches.total_tokens = micro_steps * kB * kT;
      reference.step.grad_clip = grad_clip;
      run(reference);
      const size_t bytes = recorder_.reports.at(0).memory_bytes;

      for (const Parallelism& p : {Parallelism{"sequential", 1}, {"fork-join", 3}, {"tasks", 3}}) {
        SCOPED_TRACE(testing::Message() << p << suffix);
        TrainSettings s = reference;
        s.output.directory = dir_ / (p.executor + suffix);
        s.step.recompute_blocks = true;

        run(s, p);

        expect_same_bits(s.output.directory, reference.output.directory, 3);
        EXPECT_LT(recorder_.reports.at(0).memory_bytes, bytes);
      }
    }
  }
}

// A step is one batch of sequences, however they are cut into micro-batches: the same gradient up
// to the rounding of its sum, and so the same first losses.
TEST_F(TrainerTest, AccumulationComputesTheStepOfTheWholeBatch) {
  TrainSettings whole = settings("whole"), parts = settings("parts");
  whole.step.B = 4 * kB;
  parts.batches.total_tokens = 4 * kB * kT;
  run(whole);
  const std::vector<StepReport> expected = recorder_.steps;

  run(parts);

  for (size_t i = 0; i < 7; ++i) {
    // Sums of 1148 losses and gradients of order one in float: a few eps, growing over seven steps.
    EXPECT_NEAR(recorder_.steps[i].loss, expected[i].loss, 1e-4) << i;
    EXPECT_NEAR(recorder_.steps[i].grad_norm, expected[i].grad_norm, 1e-3 * expected[i].grad_norm)
        << i;
  }
}

TEST_F(TrainerTest, ValidatesSamplesAndSavesWhenTheyAreDue) {
  TrainSettings s = settings();
  s.validation.every = 3;
  s.samples.every = 4;
  s.checkpoints.every = 2;
  run(s);

  const auto steps_of = [](const auto& events) {
    std::vector<int64_t> steps;
    for (const auto& event : events) steps.push_back(event.first);
    return steps;
  };
  EXPECT_EQ(steps_of(recorder_.validations), (std::vector<int64_t>{3, 6, 7}));
  EXPECT_EQ(steps_of(recorder_.samples), (std::vector<int64_t>{4}));
  EXPECT_EQ(steps_of(recorder_.saves), (std::vector<int64_t>{2, 4, 6, 7}));
  const std::vector<json> logged = records(s.output.directory, "val");
  ASSERT_EQ(logged.size(), 3u);
  EXPECT_EQ(logged[0].at("loss").get<double>(), recorder_.validations[0].second);
  EXPECT_EQ(records(s.output.directory, "sample").at(0).at("text"), recorder_.samples[0].second);
  EXPECT_EQ(records(s.output.directory, "checkpoint").size(), 4u);
}

// Looking at a run does not change it.
TEST_F(TrainerTest, ValidationAndSamplesLeaveTheBitsAlone) {
  TrainSettings s = settings();
  s.validation.every = s.samples.every = s.checkpoints.every = 1;
  run(settings("reference"));

  run(s);

  expect_same_bits(s.output.directory, dir_ / "reference");
}

TEST_F(TrainerTest, SamplesAModelWithMoreTokensThanItsTokenizer) {
  TrainSettings s = settings();
  s.model.V = 1031;  // untrained, it draws an id above 256 three times out of four
  s.batches.steps = s.samples.every = 1;

  EXPECT_EQ(run(s), TrainOutcome::kFinished);
  EXPECT_EQ(recorder_.samples.size(), 1u);
}

class Tracer : public StepTracer {
 public:
  Observer* program_starts(int64_t step, const Program&) override {
    steps.push_back(step);
    return nullptr;
  }
  std::vector<int64_t> steps;
};

TEST_F(TrainerTest, TellsTheTracerOfEveryProgram) {
  TrainSettings s = settings();
  s.batches.steps = 2;
  s.batches.total_tokens = 3 * kB * kT;
  Tracer tracer;

  train(s, dataset_, *make_executor("sequential", 1), recorder_, stop_, &tracer);

  // The last is the update that no further step takes on.
  EXPECT_EQ(tracer.steps, (std::vector<int64_t>{1, 1, 1, 2, 2, 2, 2}));
}

}  // namespace
}  // namespace weft
