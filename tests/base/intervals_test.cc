#include "base/intervals.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(Intervals, JoinIntervalsThatOverlapOrTouch) {
  EXPECT_EQ(joined({{5, 7}, {0, 2}, {1, 3}, {3, 4}, {9, 9}}), (Intervals{{0, 4}, {5, 7}}));
  EXPECT_EQ(joined({{0, 10}, {2, 3}}), (Intervals{{0, 10}}));
  EXPECT_EQ(joined({}), Intervals{});
}

TEST(Intervals, SubtractOthers) {
  const Intervals all = {{0, 10}, {20, 30}, {40, 50}};

  EXPECT_EQ(without(all, {{2, 3}, {5, 25}, {60, 70}}),
            (Intervals{{0, 2}, {3, 5}, {25, 30}, {40, 50}}));
  EXPECT_EQ(without(all, {{0, 45}}), (Intervals{{45, 50}}));
  EXPECT_EQ(without(all, {}), all);
  EXPECT_EQ(without({}, all), Intervals{});
}

TEST(Intervals, MeasureTheCommonPart) {
  const Intervals others = {{0, 10}, {20, 30}};

  EXPECT_EQ(length(others), 20);
  EXPECT_EQ(common_length({5, 25}, others), 10);
  EXPECT_EQ(common_length({10, 20}, others), 0);
  EXPECT_EQ(common_length({-5, 100}, others), 20);
  EXPECT_EQ(common_length({3, 4}, others), 1);
}

}  // namespace
}  // namespace weft
