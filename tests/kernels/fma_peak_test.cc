#include "kernels/fma_peak.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/thread_cpu_time.h"

namespace weft {
namespace {

double seconds_of(int64_t rounds) {
  const double begin = thread_cpu_seconds();
  EXPECT_TRUE(std::isfinite(multiply_add(rounds)));
  return thread_cpu_seconds() - begin;
}

TEST(FmaPeak, FlopsAreProportionalToRounds) {
  EXPECT_EQ(multiply_add_flops(0), 0);
  EXPECT_GT(multiply_add_flops(1), 0);
  EXPECT_EQ(multiply_add_flops(1000), 1000 * multiply_add_flops(1));
}

TEST(FmaPeak, ConvergesToTheNumberOfChainsAndLanes) {
  // Every chain tends to 1, and each does two FLOPs per lane and round.
  EXPECT_EQ(multiply_add(200), static_cast<float>(multiply_add_flops(1) / 2));
}

TEST(FmaPeak, DoesTheWorkThatItCounts) {
  double few_s = seconds_of(100'000);
  for (int i = 0; i < 10; ++i) few_s = std::min(few_s, seconds_of(100'000));

  // The ratio is 100. It would be 1 if the compiler dropped the loop, or ran it once for all
  // rounds. Other processes can slow a thread down by a factor of two or three, but not by ten.
  EXPECT_GT(seconds_of(10'000'000) / few_s, 10.);
}

}  // namespace
}  // namespace weft
