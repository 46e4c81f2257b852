#include "run/run_identity.h"

#include <gtest/gtest.h>

#include "comm/single_process.h"
#include "run/trainer_fixture.h"

namespace weft {
namespace {

class RunIdentityTest : public TrainerTest {
 protected:
  RunState identity(const TrainSettings& s) const {
    return run_identity(s, plan_run(s, dataset_), dataset_);
  }
};

// Checkpoints of earlier versions hold these texts.
TEST_F(RunIdentityTest, HasTheTextsOfStoredCheckpoints) {
  TrainSettings s = settings();

  const RunState state = identity(s);

  EXPECT_EQ(state.schedule, "kind 0 lr 0.003 warmup 2 final 0.1 steps 7");
  EXPECT_EQ(state.optimizer, "beta1 0.9 beta2 0.95 eps 1e-08 decay 0.1 clip 1");
  EXPECT_EQ(state.batching, "B 7 micro-steps 1");
  EXPECT_EQ(state.precision, "fp32");
}

TEST_F(RunIdentityTest, SaysTheOrderInWhichGradientsAreAdded) {
  SingleProcess alone;
  TrainSettings s = settings();
  s.batches.total_tokens = 3 * kB * kT;
  EXPECT_EQ(identity(s).batching, "B 7 micro-steps 3");

  s.step.communicator = &alone;
  s.step.distribution.reproducible = true;
  EXPECT_EQ(identity(s).batching, "B 7 micro-batches 3 in a tree");
}

TEST_F(RunIdentityTest, HoldsTheOrderOfTheData) {
  TrainSettings s = settings();
  s.batches.seed = 7;
  s.batches.shuffle = false;
  s.batches.total_tokens = 2 * kB * kT;

  const RunState state = identity(s);

  EXPECT_EQ(state.seed, 7u);
  EXPECT_FALSE(state.shuffle);
  EXPECT_EQ(state.T, kT);
  EXPECT_EQ(state.sequences_per_step, 2 * kB);
  EXPECT_EQ(state.data_fingerprint, dataset_.train.fingerprint());
}

TEST_F(RunIdentityTest, FactsOfRanksDifferWhereModelOrDataDo) {
  TrainSettings s = settings(), other = settings();
  other.model.L = 3;
  EXPECT_EQ(facts_of_run(s, dataset_), facts_of_run(s, dataset_));
  EXPECT_NE(facts_of_run(s, dataset_), facts_of_run(other, dataset_));

  EXPECT_NE(facts_of_run(s, dataset_), facts_of_run(s, text_dataset(repetitive_text() + "x")));
}

}  // namespace
}  // namespace weft
