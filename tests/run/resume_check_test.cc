#include "run/resume_check.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "optim/adamw.h"
#include "run/trainer_fixture.h"

namespace weft {
namespace {

class ResumeCheckTest : public TrainerTest {
 protected:
  void SetUp() override {
    run_and_stop(settings(), 2);
    log_ = read_file(settings().output.directory / "metrics.jsonl");
  }

  TrainSettings resumed() const {
    TrainSettings s = settings();
    s.output.resume = true;
    return s;
  }

  void expect_refused(const TrainSettings& s, std::initializer_list<std::string_view> message) {
    EXPECT_TRUE(mentions(error_of_run(s), message));
    EXPECT_EQ(read_file(s.output.directory / "metrics.jsonl"), log_);
  }

  std::string log_;
};

TEST_F(ResumeCheckTest, RefusesAnotherOrderOfTheData) {
  TrainSettings s = resumed();
  s.batches.seed = 43;
  expect_refused(s, {"--seed 42, now 43"});

  s = resumed();
  s.batches.shuffle = false;
  expect_refused(s, {"--shuffle true, now false"});

  s = resumed();
  s.step.T = kT - 1;
  expect_refused(s, {"--seq-len 41, now 40"});

  s = resumed();
  s.batches.total_tokens = 2 * kB * kT;
  expect_refused(s, {"sequences per step 7, now 14"});
}

TEST_F(ResumeCheckTest, RefusesOtherData) {
  std::string text = repetitive_text();
  text[10] = 'X';
  dataset_ = text_dataset(text);

  expect_refused(resumed(), {"data with fingerprint"});
}

TEST_F(ResumeCheckTest, RefusesAnEndThatIsBehindIt) {
  TrainSettings s = resumed();
  s.batches.steps = 1;

  expect_refused(s, {"has done 2 steps", "end after 1", "--steps"});
}

TEST_F(ResumeCheckTest, RefusesAnotherModel) {
  TrainSettings s = resumed();
  s.model.L = 1;

  expect_refused(s, {to_string(kModel), to_string(s.model)});
}

TEST_F(ResumeCheckTest, NotesAnotherCourseOfTheRun) {
  TrainSettings s = resumed();
  s.schedule.lr = 1e-3;
  s.step.optimizer = std::make_shared<AdamW>(AdamWSettings{.weight_decay = 0.2f});
  s.batches.steps = 8;

  EXPECT_EQ(run(s), TrainOutcome::kFinished);

  EXPECT_TRUE(
      mentions(recorder_.notes, {"schedule changed from", "lr 0.003", "lr 0.001", "steps 8",
                                 "optimizer changed from", "decay 0.2", "not bit for bit"}));
  EXPECT_EQ(logged_steps(s.output.directory).size(), 8u);
}

TEST_F(ResumeCheckTest, NotesAnotherOrderOfSums) {
  TrainSettings s = resumed();
  s.step.B = 1;
  s.batches.total_tokens = kB * kT;

  EXPECT_EQ(run(s), TrainOutcome::kFinished);

  EXPECT_TRUE(mentions(recorder_.notes, {"batching changed from", "B 7", "B 1 micro-steps 7"}));
  EXPECT_FALSE(mentions(recorder_.notes, {"schedule changed"}));
}

}  // namespace
}  // namespace weft
