#include "run/step_report.h"

#include <gtest/gtest.h>

#include <string>

#include "run/trainer_fixture.h"

namespace weft {
namespace {

class StepReportTest : public TrainerTest {};

TEST_F(StepReportTest, LogsWhatItReportsToTheSameBits) {
  const TrainSettings s = settings();
  run(s);

  std::map<int64_t, StepBits> reported;
  for (const StepReport& r : recorder_.steps) {
    reported[r.step] = bits_of(r.loss, r.lr, r.grad_norm, r.tokens);
  }
  EXPECT_EQ(logged_steps(s.output.directory), reported);
  EXPECT_EQ(reported.size(), 7u);
}

TEST_F(StepReportTest, TimeGoesOnWhereTheRunStopped) {
  TrainSettings s = settings();
  run_and_stop(s, 3);
  const double before = recorder_.steps.back().elapsed_s;

  s.output.resume = true;
  run(s);

  EXPECT_GT(before, 0.);
  EXPECT_GT(recorder_.steps.front().elapsed_s, before);
}

TEST_F(StepReportTest, ReportsTheSizeOfTheRun) {
  TrainSettings s = settings();
  s.batches.total_tokens = 4 * kB * kT;
  run(s);

  const RunReport& r = recorder_.reports.at(0);
  EXPECT_EQ(r.parameters, ParameterTable(kModel).count());
  EXPECT_EQ(r.first_step, 1);
  EXPECT_EQ(r.steps, 7);
  EXPECT_EQ(r.micro_steps, 4);
  EXPECT_EQ(r.tokens_per_step, 4 * kB * kT);
  EXPECT_EQ(r.steps_per_epoch, (dataset_.train.samples(kT) + 4 * kB - 1) / (4 * kB));
  EXPECT_EQ(r.train_tokens, dataset_.train.tokens());
  EXPECT_EQ(r.val_tokens, dataset_.val->tokens());
  EXPECT_GT(r.memory_bytes, size_t(4 * 4 * r.parameters));  // weights, gradients and moments
}

// llm.c's convention, 6 N + 6 L C T FLOPs per token.
TEST_F(StepReportTest, UtilizationIsThatOfLlmc) {
  TrainSettings s = settings();
  s.batches.steps = 1;
  s.peak_flops = 1e12;
  run(s);

  const StepReport& r = recorder_.steps.at(0);
  const double flops = 6. * double(ParameterTable(kModel).count()) + 6. * 2 * 15 * double(kT);
  EXPECT_DOUBLE_EQ(r.mfu, r.tokens_per_s * flops / 1e12);
}

}  // namespace
}  // namespace weft
