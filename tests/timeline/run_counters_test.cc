#include "timeline/run_counters.h"

#include <gtest/gtest.h>

#include "support/made_timeline.h"

namespace weft {
namespace {

RunCounters counters_of(const std::vector<MadeOp>& ops, size_t slots) {
  const RankTimeline timeline = made_timeline(ops);
  return run_counters(timeline.programs[0], timeline.runs[0], slots);
}

void expect_near(const std::vector<double>& values, const std::vector<double>& expected) {
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-9) << i;
}

TEST(RunCounters, CountOpsFromWhenTheyCouldRunUntilTheyBegin) {
  const RunCounters counters = counters_of({{"a", {}, 0, 100, 150},
                                            {"b", {}, 0, 150, 160},       // ready for 50 ns
                                            {"c", {0}, 1, 160, 170},      // for 10
                                            {"d", {0, 2}, 0, 170, 200}},  // at once
                                           4);                            // slots of 25 ns

  EXPECT_EQ(counters.begins_ns, (std::vector<int64_t>{100, 125, 150, 175}));
  expect_near(counters.ready_ops, {1., 1., 10. / 25., 0.});
}

TEST(RunCounters, SpreadTheBytesOfAnOpOverItsTime) {
  MadeOp a{"a", {}, 0, 0, 40}, b{"b", {}, 1, 15, 25}, start{"start", {}, 0, 40, 41},
      sum{"sum", {}, 0, 41, 60}, idle{"idle", {}, 0, 0, 0};
  a.bytes = 80;   // 120 in 40 ns: 3 GB/s
  b.bytes = 100;  // 150 in 10 ns: 15 GB/s
  start.phase = sum.phase = Phase::kCommunication;
  start.bytes = sum.bytes = 1'000'000;
  idle.bytes = 1'000'000;  // never ran

  const RunCounters counters = counters_of({a, b, start, sum, idle}, 5);  // slots of 12 ns

  expect_near(counters.tile_gb_per_s, {3., 3. + 15. * 9 / 12, 3. + 15. / 12, 3. * 4 / 12, 0.});
}

// Slots begin and end within ops, and sums rise to thousands and fall back.
TEST(RunCounters, HoldForManyOpsAndSlots) {
  std::vector<MadeOp> ops;
  for (int64_t i = 0; i < 4999; ++i) {
    ops.push_back({"op" + std::to_string(i), {}, 0, 10 * i, 10 * i + 10});
    ops.back().bytes = 20;
  }

  const RunCounters counters = counters_of(ops, 501);

  ASSERT_EQ(counters.ready_ops.size(), 501u);
  for (const double rate : counters.tile_gb_per_s) EXPECT_NEAR(rate, 3., 1e-6);
  for (size_t i = 1; i < counters.ready_ops.size(); ++i) {
    EXPECT_LT(counters.ready_ops[i], counters.ready_ops[i - 1]);
    EXPECT_GT(counters.begins_ns[i], counters.begins_ns[i - 1]);
  }
}

TEST(RunCounters, AreNoneWhereNothingRan) {
  EXPECT_TRUE(counters_of({}, 3).ready_ops.empty());
  EXPECT_TRUE(counters_of({{"a", {}, 0, 0, 0}}, 3).ready_ops.empty());
}

}  // namespace
}  // namespace weft
