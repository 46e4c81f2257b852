#include "timeline/activity.h"

#include <gtest/gtest.h>

#include "timeline/made_ranks.h"

namespace weft {
namespace {

constexpr double kExact = 1e-12;  // sums of a few doubles of whole milliseconds
constexpr double ms(double n) { return 1e-3 * n; }

double all_of(const Activity& activity) {
  double sum = 0.;
  for (const PhaseTime& phase : activity.phases) sum += phase.busy_s + phase.idle_s;
  return sum;
}

TEST(Activity, GivesIdleTimeToWhatAWorkerWaitsFor) {
  // Worker 1 waits 4 ms for b, then 3 ms for the update that ends the program.
  const Timeline timeline = {{made_rank(0, 2,
                                        {{"a", 0, 4, 0},
                                         {"b", 4, 7, 1, {0}, Phase::kBackward},
                                         {"c", 4, 7, 0, {0}},
                                         {"d", 7, 10, 0, {1, 2}, Phase::kUpdate}})}};

  const Activity activity = weft::activity(timeline);

  EXPECT_EQ(activity.steps, 1);
  EXPECT_NEAR(activity.run_s, ms(10), kExact);
  ASSERT_EQ(activity.useful_s.size(), 1u);
  ASSERT_EQ(activity.useful_s[0].size(), 2u);
  EXPECT_NEAR(activity.useful_s[0][0], ms(10), kExact);
  EXPECT_NEAR(activity.useful_s[0][1], ms(3), kExact);
  EXPECT_NEAR(activity.phase(Phase::kForward).busy_s, ms(7), kExact);
  EXPECT_NEAR(activity.phase(Phase::kForward).idle_s, 0., kExact);
  EXPECT_NEAR(activity.phase(Phase::kBackward).busy_s, ms(3), kExact);
  EXPECT_NEAR(activity.phase(Phase::kBackward).idle_s, ms(4), kExact);
  EXPECT_NEAR(activity.phase(Phase::kUpdate).busy_s, ms(3), kExact);
  EXPECT_NEAR(activity.phase(Phase::kUpdate).idle_s, ms(3), kExact);
  EXPECT_NEAR(activity.phase(Phase::kBackward).efficiency(), 3. / 7., kExact);
  EXPECT_NEAR(all_of(activity), 2 * ms(10), kExact);
}

TEST(Activity, DoesNotCountTheTimeBetweenPrograms) {
  RankTimeline rank = made_rank(0, 1, {{"a", 2, 6, 0}});
  add_run(rank, {{"a", 106, 109, 0}});

  const Activity activity = weft::activity({{rank}});

  EXPECT_EQ(activity.steps, 2);
  EXPECT_NEAR(activity.run_s, ms(7), kExact);
  EXPECT_NEAR(activity.useful_sum_s(), ms(7), kExact);
  EXPECT_NEAR(activity.computing_s[0], ms(7), kExact);
}

TEST(Activity, AWorkerWithoutOpsIsIdleAllTheTime) {
  const Activity activity = weft::activity({{made_rank(0, 3, {{"a", 0, 5, 0}})}});

  EXPECT_EQ(activity.workers(), 3);
  EXPECT_NEAR(activity.phase(Phase::kForward).idle_s, ms(10), kExact);
}

// From 4 to 5 a transfer begins while nothing else happens, up to 8 it is under way beside b, and
// then alone until 10.
TEST(Activity, ARankCommunicatesWhereNothingElseHappens) {
  const Timeline timeline = {{made_rank(0, 2,
                                        {{"a", 0, 4, 0},
                                         transfer_start("x/start", 4, 5, 0, {0}),
                                         {"b", 5, 8, 1, {}},
                                         transfer_end("x", 5, 10, 0, {1}),
                                         {"c", 10, 12, 1, {3}, Phase::kUpdate}})}};

  const Activity activity = weft::activity(timeline);

  EXPECT_NEAR(activity.run_s, ms(12), kExact);
  EXPECT_NEAR(activity.computing_s[0], ms(9), kExact);  // 0-4, 5-8, 10-12
  EXPECT_NEAR(activity.useful_s[0][0], ms(4), kExact);
  EXPECT_NEAR(activity.useful_s[0][1], ms(5), kExact);
  const PhaseTime& communication = activity.phase(Phase::kCommunication);
  EXPECT_NEAR(communication.busy_s, ms(1), kExact);          // x/start
  EXPECT_NEAR(communication.idle_s, ms(1 + 2 * 2), kExact);  // worker 1 from 4, both from 8
  EXPECT_NEAR(all_of(activity), 2 * ms(12), kExact);
}

TEST(Activity, ARankThatRunsNothingWhileOthersDoCommunicates) {
  const Timeline timeline = {
      {made_rank(0, 1, {{"a", 0, 10, 0}}), made_rank(1, 2, {{"a", 3, 7, 0}, {"b", 3, 7, 1}})}};

  const Activity activity = weft::activity(timeline);

  EXPECT_NEAR(activity.computing_s[0], ms(10), kExact);
  EXPECT_NEAR(activity.computing_s[1], ms(4), kExact);
  EXPECT_NEAR(activity.phase(Phase::kCommunication).idle_s, 2 * ms(6), kExact);
  EXPECT_NEAR(all_of(activity), 3 * ms(10), kExact);
}

TEST(Activity, OpsThatDidNotRunDoNotCount) {
  const Activity activity = weft::activity(
      {{made_rank(0, 1, {{"a", 0, 5, 0}, {"skipped", 0, 0, 0, {0}, Phase::kUpdate}})}});

  EXPECT_NEAR(activity.run_s, ms(5), kExact);
  EXPECT_EQ(activity.phase(Phase::kUpdate).busy_s, 0.);
}

TEST(Activity, OfNothingIsNothing) {
  const Activity activity = weft::activity({});

  EXPECT_EQ(activity.run_s, 0.);
  EXPECT_EQ(activity.steps, 0);
  EXPECT_EQ(activity.workers(), 0);
}

}  // namespace
}  // namespace weft
