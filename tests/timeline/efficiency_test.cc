#include "timeline/efficiency.h"

#include <gtest/gtest.h>

#include "support/error_of.h"
#include "timeline/made_ranks.h"

namespace weft {
namespace {

constexpr double kExact = 1e-12;

TEST(Efficiency, IsPerfectWhereAllWorkersAlwaysWork) {
  const Efficiency e = efficiency({{made_rank(0, 2, {{"a", 0, 8, 0}, {"b", 0, 8, 1}})}});

  for (const double share :
       {e.pop.parallel, e.pop.load_balance, e.pop.communication, e.pop.serialization,
        e.pop.transfer, e.additive.process, e.additive.thread, e.multiplicative.hybrid.parallel}) {
    EXPECT_NEAR(share, 1., kExact);
  }
}

TEST(Efficiency, AnIdleWorkerIsLoadImbalance) {
  const PopMetrics pop = efficiency({{made_rank(0, 2, {{"a", 0, 8, 0}})}}).pop;

  EXPECT_NEAR(pop.load_balance, 0.5, kExact);
  EXPECT_NEAR(pop.communication, 1., kExact);
  EXPECT_NEAR(pop.parallel, 0.5, kExact);
}

// Each op waits for the op before it on the other worker, so both are busy half of the time.
TEST(Efficiency, AChainAcrossWorkersIsSerialization) {
  const PopMetrics pop =
      efficiency(
          {{made_rank(
              0, 2,
              {{"a", 0, 2, 0}, {"b", 2, 4, 1, {0}}, {"c", 4, 6, 0, {1}}, {"d", 6, 8, 1, {2}}})}})
          .pop;

  EXPECT_NEAR(pop.load_balance, 1., kExact);
  EXPECT_NEAR(pop.communication, 0.5, kExact);
  EXPECT_NEAR(pop.serialization, 0.5, kExact);
  EXPECT_NEAR(pop.transfer, 1., kExact);
  EXPECT_NEAR(pop.parallel, 0.5, kExact);
}

// Balanced ranks that both wait 4 ms for a message of 0 bytes of work.
TEST(Efficiency, AMessageThatAllWaitForIsTransfer) {
  const std::vector<RankOp> ops = {
      {"a", 0, 6, 0}, transfer_end("x", 6, 10, 0, {0}), {"b", 10, 16, 0, {1}}};

  const Efficiency e = efficiency({{made_rank(0, 1, ops), made_rank(1, 1, ops)}});

  EXPECT_NEAR(e.ideal_run_s, 12e-3, kExact);
  EXPECT_NEAR(e.pop.load_balance, 1., kExact);
  EXPECT_NEAR(e.pop.serialization, 1., kExact);
  EXPECT_NEAR(e.pop.transfer, 0.75, kExact);
  EXPECT_NEAR(e.pop.parallel, 0.75, kExact);
  EXPECT_NEAR(e.multiplicative.process.parallel, 0.75, kExact);
  EXPECT_NEAR(e.multiplicative.thread.parallel, 1., kExact);
}

// Rank 0 has 4 ms of work, rank 1 has 8, and the message takes 2 more.
Timeline imbalanced_ranks() {
  return {{made_rank(0, 1, {{"a", 0, 4, 0}, transfer_end("x", 4, 10, 0, {0})}),
           made_rank(1, 1, {{"a", 0, 8, 0}, transfer_end("x", 8, 10, 0, {0})})}};
}

TEST(Efficiency, RanksWithUnequalWorkAreImbalancedAndTheRestIsTransfer) {
  const Efficiency e = efficiency(imbalanced_ranks());

  EXPECT_NEAR(e.pop.load_balance, 6. / 8., kExact);
  EXPECT_NEAR(e.pop.communication, 8. / 10., kExact);
  EXPECT_NEAR(e.pop.serialization, 1., kExact);
  EXPECT_NEAR(e.pop.transfer, 8. / 10., kExact);
  EXPECT_NEAR(e.pop.parallel, 6. / 10., kExact);
  EXPECT_NEAR(e.additive.process, 6. / 10., kExact);
  EXPECT_NEAR(e.additive.process_load_balance, 1. - 2. / 10., kExact);
  EXPECT_NEAR(e.additive.process_communication, 8. / 10., kExact);
  EXPECT_NEAR(e.additive.thread, 1., kExact);
}

// Two ranks of two threads. Rank 0: U = 6 and 2 of O = 6; rank 1: U = 8 and 4 of O = 8; R = 10.
Timeline hybrid_timeline() {
  return {{made_rank(0, 2, {{"a", 0, 6, 0}, {"b", 0, 2, 1}, transfer_end("x", 6, 10, 0, {0, 1})}),
           made_rank(1, 2, {{"a", 0, 8, 0}, {"b", 0, 4, 1}, transfer_end("x", 8, 10, 0, {0, 1})})}};
}

TEST(Efficiency, OfRanksAndThreadsMultiplies) {
  const MultiplicativeModel m = efficiency(hybrid_timeline()).multiplicative;

  EXPECT_NEAR(m.hybrid.parallel, 5. / 10., kExact);
  EXPECT_NEAR(m.hybrid.load_balance, 5. / 8., kExact);
  EXPECT_NEAR(m.hybrid.communication, 8. / 10., kExact);
  EXPECT_NEAR(m.process.parallel, 7. / 10., kExact);
  EXPECT_NEAR(m.process.load_balance, 7. / 8., kExact);
  EXPECT_NEAR(m.process.communication, 8. / 10., kExact);
  EXPECT_NEAR(m.thread.parallel, 5. / 7., kExact);
  EXPECT_NEAR(m.thread.load_balance, 5. / 7., kExact);
  EXPECT_NEAR(m.thread.communication, 1., kExact);
}

TEST(Efficiency, OfRanksAndThreadsAddsUp) {
  const AdditiveModel a = efficiency(hybrid_timeline()).additive;

  EXPECT_NEAR(a.process, 7. / 10., kExact);
  EXPECT_NEAR(a.process_load_balance, 1. - 1. / 10., kExact);
  EXPECT_NEAR(a.process_communication, 8. / 10., kExact);
  EXPECT_NEAR(a.thread, 1. - 2. / 10., kExact);
}

// With irregular times, and ranks of different sizes.
TEST(Efficiency, ItsPartsMakeUpTheWhole) {
  const Activity activity{.steps = 1,
                          .run_s = 13.,
                          .useful_s = {{2.5, 7.25, 1.}, {11., 0.5}, {3.}},
                          .computing_s = {8., 11.5, 3.25}};
  const double avg_over_R = (2.5 + 7.25 + 1. + 11. + 0.5 + 3.) / 6. / 13.;

  const PopMetrics pop = pop_metrics(activity, 12.);
  const MultiplicativeModel m = multiplicative_model(activity);
  const AdditiveModel a = additive_model(activity);

  EXPECT_NEAR(pop.parallel, avg_over_R, kExact);
  EXPECT_NEAR(pop.load_balance * pop.communication, pop.parallel, kExact);
  EXPECT_NEAR(pop.serialization * pop.transfer, pop.communication, kExact);
  EXPECT_NEAR(m.hybrid.parallel, avg_over_R, kExact);
  EXPECT_NEAR(m.process.parallel * m.thread.parallel, m.hybrid.parallel, kExact);
  EXPECT_NEAR(m.process.load_balance * m.thread.load_balance, m.hybrid.load_balance, kExact);
  EXPECT_NEAR(m.process.communication * m.thread.communication, m.hybrid.communication, kExact);
  for (const MultiplicativeModel::Level& level : {m.hybrid, m.process, m.thread}) {
    EXPECT_NEAR(level.load_balance * level.communication, level.parallel, kExact);
  }
  EXPECT_NEAR(a.process + a.thread - 1., avg_over_R, kExact);
  EXPECT_NEAR(a.process_load_balance + a.process_communication - 1., a.process, kExact);
}

TEST(Efficiency, OfNothingIsAnError) {
  EXPECT_TRUE(mentions(error_of([] { efficiency({}); }), {"some time"}));
}

TEST(Scalability, ComparesUsefulTimeForTheSameWork) {
  EXPECT_NEAR(scalability({10., 100.}, {12.5, 100.}).computation, 0.8, kExact);
  EXPECT_NEAR(scalability({10., 100.}, {40., 400.}).computation, 1.,
              kExact);  // four times the work
  EXPECT_FALSE(scalability({10., 100.}, {12.5, 100.}).parts);
}

// Twice the work takes three times the instructions, at 0.8 of their rate and half the clock.
TEST(Scalability, SplitsIntoInstructionsTheirRateAndTheClock) {
  const WorkCost reference{10., 100., HardwareCounts{1000., 500.}};
  const WorkCost cost{75., 200., HardwareCounts{3000., 1875.}};

  const Scalability s = scalability(reference, cost);

  ASSERT_TRUE(s.parts);
  EXPECT_NEAR(s.parts->instructions, 2. / 3., kExact);
  EXPECT_NEAR(s.parts->ipc, 0.8, kExact);
  EXPECT_NEAR(s.parts->frequency, 0.5, kExact);
  EXPECT_NEAR(s.parts->instructions * s.parts->ipc * s.parts->frequency, s.computation, kExact);
}

}  // namespace
}  // namespace weft
