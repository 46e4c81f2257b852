#include "kernels/fma_peak.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

namespace weft {
namespace {

double seconds_of(int64_t rounds) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(std::isfinite(multiply_add(rounds)));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
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
  seconds_of(100'000);

  // A compiler that dropped the loop, or ran it once for all rounds, would make this ratio 1. Wide
  // limits: other processes share the machine.
  EXPECT_GT(seconds_of(10'000'000) / seconds_of(100'000), 10.);
}

}  // namespace
}  // namespace weft
