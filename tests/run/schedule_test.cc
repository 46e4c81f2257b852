#include "run/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/error_of.h"

namespace weft {
namespace {

// Rates here have a few exact decimals; a rate is three or four double operations away from them.
constexpr double kTolerance = 1e-15;

Schedule schedule(ScheduleKind kind, int64_t warmup, int64_t steps) {
  return {.kind = kind, .lr = 1., .warmup = warmup, .final_lr_fraction = 0.1, .steps = steps};
}

TEST(Schedule, IsParsedByName) {
  EXPECT_EQ(parse_schedule("cosine"), ScheduleKind::kCosine);
  EXPECT_EQ(parse_schedule("linear"), ScheduleKind::kLinear);
  EXPECT_EQ(parse_schedule("constant"), ScheduleKind::kConstant);
  EXPECT_EQ(parse_schedule("wsd"), ScheduleKind::kWsd);
  for (const char* name : {"", "Cosine", "cos"}) {
    EXPECT_TRUE(mentions(error_of([&] { parse_schedule(name); }),
                         {"unknown schedule", name, "use cosine, linear, constant or wsd"}));
  }
}

TEST(Schedule, WarmsUpInEqualStepsAndArrivesAtTheRate) {
  for (const ScheduleKind kind : {ScheduleKind::kCosine, ScheduleKind::kLinear,
                                  ScheduleKind::kConstant, ScheduleKind::kWsd}) {
    const Schedule s = schedule(kind, 4, 100);

    EXPECT_NEAR(s.at(0), 0.25, kTolerance);
    EXPECT_NEAR(s.at(1), 0.5, kTolerance);
    EXPECT_NEAR(s.at(2), 0.75, kTolerance);
    EXPECT_NEAR(s.at(3), 1., kTolerance);
    EXPECT_NEAR(s.at(4), 1., kTolerance);
  }
}

TEST(Schedule, WithoutWarmupStartsAtTheRate) {
  for (const ScheduleKind kind : {ScheduleKind::kCosine, ScheduleKind::kLinear,
                                  ScheduleKind::kConstant, ScheduleKind::kWsd}) {
    EXPECT_NEAR(schedule(kind, 0, 10).at(0), 1., kTolerance);
  }
}

TEST(Schedule, CosineFollowsHalfACosine) {
  const Schedule s = schedule(ScheduleKind::kCosine, 4, 16);

  // Thirds of the way: cosines of 0, 60, 90, 120 and 180 degrees.
  EXPECT_NEAR(s.at(4), 1., kTolerance);
  EXPECT_NEAR(s.at(8), 0.1 + 0.9 * 0.75, kTolerance);
  EXPECT_NEAR(s.at(10), 0.1 + 0.9 * 0.5, kTolerance);
  EXPECT_NEAR(s.at(12), 0.1 + 0.9 * 0.25, kTolerance);
  EXPECT_NEAR(s.at(16), 0.1, kTolerance);
}

TEST(Schedule, LinearFallsByEqualSteps) {
  const Schedule s = schedule(ScheduleKind::kLinear, 4, 14);

  EXPECT_NEAR(s.at(4), 1., kTolerance);
  EXPECT_NEAR(s.at(5), 0.91, kTolerance);
  EXPECT_NEAR(s.at(9), 0.55, kTolerance);
  EXPECT_NEAR(s.at(13), 0.19, kTolerance);
  EXPECT_NEAR(s.at(14), 0.1, kTolerance);
}

TEST(Schedule, ConstantStays) {
  const Schedule s = schedule(ScheduleKind::kConstant, 2, 10);

  for (int64_t step = 2; step <= 20; ++step) EXPECT_EQ(s.at(step), 1.);
}

TEST(Schedule, WsdIsStableUntilItsLastFifthAndThenFallsAlongASquareRoot) {
  const Schedule s = schedule(ScheduleKind::kWsd, 2, 20);

  for (int64_t step = 2; step <= 16; ++step) EXPECT_NEAR(s.at(step), 1., kTolerance);
  EXPECT_NEAR(s.at(17), 0.1 + 0.9 * (1. - 0.5), kTolerance);
  EXPECT_NEAR(s.at(18), 0.1 + 0.9 * (1. - std::sqrt(0.5)), kTolerance);
  EXPECT_NEAR(s.at(20), 0.1, kTolerance);
}

TEST(Schedule, WsdDecaysAfterAWarmupThatReachesIntoItsLastFifth) {
  const Schedule s = schedule(ScheduleKind::kWsd, 16, 17);

  EXPECT_NEAR(s.at(15), 1., kTolerance);
  EXPECT_NEAR(s.at(16), 1., kTolerance);
  EXPECT_NEAR(s.at(17), 0.1, kTolerance);
}

TEST(Schedule, StaysAtItsEndAfterTheRun) {
  for (const ScheduleKind kind :
       {ScheduleKind::kCosine, ScheduleKind::kLinear, ScheduleKind::kWsd}) {
    EXPECT_NEAR(schedule(kind, 3, 10).at(1000), 0.1, kTolerance);
  }
}

TEST(Schedule, ScalesWithTheRateAndEndsAtTheFraction) {
  Schedule s = schedule(ScheduleKind::kCosine, 0, 10);
  s.lr = 6e-4;
  for (const double fraction : {0., 0.25, 1.}) {
    s.final_lr_fraction = fraction;
    EXPECT_NEAR(s.at(0), 6e-4, kTolerance);
    EXPECT_NEAR(s.at(5), 6e-4 * 0.5 * (1. + fraction), kTolerance);
    EXPECT_NEAR(s.at(10), 6e-4 * fraction, kTolerance);
  }
}

TEST(Schedule, SurvivesAWarmupLongerThanTheRun) {
  for (const ScheduleKind kind : {ScheduleKind::kCosine, ScheduleKind::kLinear,
                                  ScheduleKind::kConstant, ScheduleKind::kWsd}) {
    const Schedule s = schedule(kind, 100, 10);

    EXPECT_NEAR(s.at(9), 0.1, kTolerance);
    EXPECT_TRUE(std::isfinite(s.at(100)));
  }
}

}  // namespace
}  // namespace weft
