#include "measure/hardware_counters.h"

#include <gtest/gtest.h>

#include <thread>

namespace weft {
namespace {

double work(int n) {
  volatile double sum = 0.;
  for (int i = 0; i < n; ++i) sum = sum + 1.;
  return sum;
}

TEST(HardwareCounters, CountTheThreadsThatStartLater) {
  constexpr int kAdditions = 1'000'000;
  const HardwareCounters counters;
  const auto before = counters.read();
  if (!before) {
    EXPECT_FALSE(counters.why_not().empty());
    GTEST_SKIP() << counters.why_not();
  }

  std::thread([] { work(kAdditions); }).join();

  const auto after = counters.read();
  ASSERT_TRUE(after);
  EXPECT_GT(after->instructions - before->instructions, kAdditions);
  EXPECT_GT(after->cycles, before->cycles);
}

}  // namespace
}  // namespace weft
