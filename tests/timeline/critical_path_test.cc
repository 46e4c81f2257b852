#include "timeline/critical_path.h"

#include <gtest/gtest.h>

#include "support/made_timeline.h"

namespace weft {
namespace {

// The path as text: "a", then "b" if it depends on the op before, or "=b" if its worker was busy.
std::string path_of(const std::vector<MadeOp>& ops) {
  const RankTimeline timeline = made_timeline(ops);
  std::string text;
  for (const CriticalOp& op : critical_path(timeline.programs[0], timeline.runs[0])) {
    text += text.empty() ? "" : " ";
    EXPECT_EQ(op.cause == Cause::kNone, text.empty());
    text += op.cause == Cause::kSameWorker ? "=" : "";
    text += timeline.programs[0].ops[op.op].name.text();
  }
  return text;
}

TEST(CriticalPath, FollowsWhatEndedLast) {
  EXPECT_EQ(path_of({{"a", {}, 0, 0, 10},
                     {"b", {}, 1, 0, 30},
                     {"c", {0, 1}, 0, 31, 40},  // waits for b
                     {"d", {0}, 1, 32, 50}}),   // waits for its worker
            "b =d");
  EXPECT_EQ(path_of({{"a", {}, 0, 0, 10},
                     {"b", {}, 1, 0, 30},
                     {"c", {0, 1}, 0, 31, 60},
                     {"d", {0}, 1, 32, 50}}),
            "b c");
}

TEST(CriticalPath, PrefersADependenceToTheSameWorker) {
  EXPECT_EQ(path_of({{"a", {}, 0, 0, 10}, {"b", {0}, 0, 10, 20}}), "a b");
}

TEST(CriticalPath, IsEmptyWhereNothingRanAndLeavesOutWhatDidNot) {
  EXPECT_EQ(path_of({}), "");
  EXPECT_EQ(path_of({{"a", {}, 0, 0, 0}}), "");
  EXPECT_EQ(path_of({{"a", {}, 0, 0, 0}, {"b", {0}, 0, 5, 9}, {"c", {0, 1}, 1, 10, 11}}), "b c");
}

// The transfer is under way while its worker runs b, and then alone until it has ended.
TEST(CriticalPath, GoesThroughATransferOnlyIfItWasWaitedFor) {
  const MadeOp start{"start", {}, 0, 0, 5};
  MadeOp sum{"sum", {0}, 0, 6, 50};
  sum.waits = true;

  EXPECT_EQ(path_of({start, sum, {"b", {}, 0, 7, 20}, {"c", {1, 2}, 0, 51, 60}}), "start sum c");
  EXPECT_EQ(path_of({start, sum, {"b", {}, 0, 7, 55}, {"c", {1, 2}, 0, 56, 60}}), "start =b c");
  EXPECT_EQ(path_of({start, sum, {"b", {}, 0, 7, 40}, {"c", {2}, 0, 52, 60}}), "start =b c");
}

// As under the sequential executor: the next op depends on no earlier one.
TEST(CriticalPath, GoesThroughATransferThatAWorkerStayedWith) {
  MadeOp sum{"sum", {0}, 0, 6, 50};
  sum.waits = true;

  EXPECT_EQ(path_of({{"start", {}, 0, 0, 5}, sum, {"b", {}, 0, 51, 60}}), "start sum =b");
}

TEST(CriticalPath, EndsEvenIfOpsTakeNoTime) {
  EXPECT_EQ(path_of({{"a", {}, 0, 5, 5}, {"b", {}, 0, 5, 5}, {"c", {1}, 1, 5, 5}}), "a");
  EXPECT_EQ(path_of({{"a", {}, 0, 5, 5}, {"b", {}, 0, 5, 5}, {"c", {}, 0, 5, 6}}), "a =b =c");
}

}  // namespace
}  // namespace weft
