#include "timeline/ideal_replay.h"

#include <gtest/gtest.h>

#include "timeline/made_ranks.h"

namespace weft {
namespace {

constexpr double kExact = 1e-12;
constexpr double ms(double n) { return 1e-3 * n; }

TEST(IdealReplay, KeepsTheTimeOfARunWithoutTransfers) {
  // A late start, an op that begins 1 ms after it is ready, and one that never ran.
  RankTimeline rank =
      made_rank(0, 2, {{"a", 5, 9, 0}, {"b", 5, 7, 1}, {"c", 10, 14, 1, {0, 1}}, {"d", 0, 0, 0}});
  add_run(rank, {{"a", 100, 103, 1}});

  EXPECT_NEAR(ideal_run_s({{rank}}), ms(9 + 3), kExact);
}

TEST(IdealReplay, KeepsTheTimeOfRanksThatDoNotMeet) {
  RankTimeline second = made_rank(1, 1, {{"a", 2, 6, 0}});
  add_run(second, {{"a", 8, 9, 0}});  // while the other rank still runs

  EXPECT_NEAR(ideal_run_s({{made_rank(0, 1, {{"a", 0, 12, 0}}), second}}), ms(12), kExact);
}

// Both ranks reach x at 4, and have it at 9.
TEST(IdealReplay, TakesAwayTheTimeOfATransferThatAllWaitFor) {
  const std::vector<RankOp> ops = {{"a", 0, 3, 0},
                                   transfer_start("x/start", 3, 4, 0, {0}),
                                   transfer_end("x", 4, 9, 0, {1}),
                                   {"b", 9, 12, 0, {2}}};

  EXPECT_NEAR(ideal_run_s({{made_rank(0, 1, ops), made_rank(1, 1, ops)}}), ms(7), kExact);
}

// Rank 1 needs 6 ms where rank 0 needs 2: without transfer times rank 0 would still wait 4.
TEST(IdealReplay, StillWaitsForARankThatComesLater) {
  const Timeline timeline = {{made_rank(0, 1,
                                        {transfer_start("x/start", 0, 2, 0, {}),
                                         transfer_end("x", 2, 8, 0, {0}),
                                         {"b", 8, 11, 0, {1}}}),
                              made_rank(1, 1,
                                        {transfer_start("x/start", 0, 6, 0, {}),
                                         transfer_end("x", 6, 8, 0, {0}),
                                         {"b", 8, 9, 0, {1}}})}};

  EXPECT_NEAR(ideal_run_s(timeline), ms(9), kExact);  // 6, then 3 on rank 0
}

// Rank 0 sends and goes on at once; only rank 1 waits for it.
TEST(IdealReplay, TheSourceOfABroadcastWaitsForNobody) {
  const Timeline timeline = {{made_rank(0, 1,
                                        {transfer_start("x/start", 0, 1, 0, {}),
                                         transfer_end("x", 1, 2, 0, {0}),
                                         {"b", 2, 7, 0, {1}}}),
                              made_rank(1, 1,
                                        {transfer_start("x/start", 0, 4, 0, {}),
                                         transfer_end("x", 4, 5, 0, {0}),
                                         {"b", 5, 6, 0, {1}}})}};

  EXPECT_NEAR(ideal_run_s(timeline), ms(6), kExact);  // rank 0: 1 + 5; rank 1: 4 + 1
}

// The transfer is over long before its result is needed.
TEST(IdealReplay, GainsNothingWhereATransferIsHidden) {
  const std::vector<RankOp> ops = {transfer_start("x/start", 0, 1, 0, {}),
                                   transfer_end("x", 1, 5, 0, {0}),
                                   {"a", 1, 8, 0, {}},
                                   {"b", 8, 10, 0, {1, 2}}};

  EXPECT_NEAR(ideal_run_s({{made_rank(0, 1, ops), made_rank(1, 1, ops)}}), ms(10), kExact);
}

// Fork-join: b does not depend on x, but its run begins after x, which is in the run before.
TEST(IdealReplay, ABarrierWaitsForATransferOfItsRun) {
  const std::vector<RankOp> ops = {transfer_start("x/start", 0, 1, 0, {}),
                                   transfer_end("x", 1, 7, 0, {0}),
                                   {"a", 1, 3, 1, {}},
                                   {"b", 7, 9, 1, {2}}};

  EXPECT_NEAR(ideal_run_s({{made_rank(0, 2, ops), made_rank(1, 2, ops)}}), ms(5), kExact);
}

// The executor keeps the worker with the op that waits: no other op begins on it meanwhile.
TEST(IdealReplay, AWorkerThatWaitsIsFreeSooner) {
  const std::vector<RankOp> ops = {transfer_start("x/start", 0, 1, 0, {}),
                                   transfer_end("x", 1, 7, 0, {0}),
                                   {"a", 1, 4, 1, {}},
                                   {"b", 7, 9, 0, {2}},    // depends on a alone
                                   {"c", 4, 10, 1, {2}}};  // no barrier: before x ends

  EXPECT_NEAR(ideal_run_s({{made_rank(0, 2, ops), made_rank(1, 2, ops)}}), ms(10), kExact);
  std::vector<RankOp> without_c(ops.begin(), ops.end() - 1);
  without_c.push_back({"c", 3, 6, 2, {}});
  EXPECT_NEAR(ideal_run_s({{made_rank(0, 3, without_c), made_rank(1, 3, without_c)}}), ms(6),
              kExact);  // a until 4, b until 6
}

TEST(IdealReplay, OpsOfTheSameNameMeetInTheSameStepOnly) {
  const std::vector<RankOp> ops = {transfer_start("x/start", 0, 1, 0, {}),
                                   transfer_end("x", 1, 3, 0, {0})};
  RankTimeline first = made_rank(0, 1, ops), second = first;
  add_run(first, {transfer_start("x/start", 3, 4, 0, {}), transfer_end("x", 4, 8, 0, {0})});
  add_run(second, {transfer_start("x/start", 3, 7, 0, {}), transfer_end("x", 7, 8, 0, {0})});

  EXPECT_NEAR(ideal_run_s({{first, second}}), ms(1 + 4), kExact);
}

TEST(IdealReplay, OfNothingTakesNoTime) { EXPECT_EQ(ideal_run_s({}), 0.); }

}  // namespace
}  // namespace weft
