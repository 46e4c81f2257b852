#include "kernels/bf16_peak.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/thread_cpu_time.h"

namespace weft {
namespace {

class Bf16PeakTest : public testing::TestWithParam<Bf16Backend> {
 protected:
  void SetUp() override {
    if (!cpu_has(GetParam())) GTEST_SKIP() << "this machine cannot run the backend";
  }

  static double seconds_of(int64_t rounds) {
    const double begin = thread_cpu_seconds();
    EXPECT_GT(multiply_add_bf16(GetParam(), rounds), 0.f);
    return thread_cpu_seconds() - begin;
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, Bf16PeakTest,
                         testing::Values(Bf16Backend::kAmx, Bf16Backend::kAvx512Bf16),
                         [](const auto& info) {
                           return info.param == Bf16Backend::kAmx ? "Amx" : "Avx512Bf16";
                         });

TEST_P(Bf16PeakTest, CountsTheMultiplicationsThatItDoes) {
  for (const int64_t rounds : {0, 1, 100}) {
    EXPECT_EQ(multiply_add_bf16(GetParam(), rounds),
              static_cast<float>(multiply_add_bf16_flops(GetParam(), rounds) / 2));
  }
}

TEST_P(Bf16PeakTest, DoesTheWorkThatItCounts) {
  double few_s = seconds_of(10'000);
  for (int i = 0; i < 10; ++i) few_s = std::min(few_s, seconds_of(10'000));

  // The ratio is 100. It would be 1 if the compiler ran the loop once for all rounds. Other
  // processes can slow a thread down by a factor of two or three, but not by ten.
  EXPECT_GT(seconds_of(1'000'000) / few_s, 10.);
}

}  // namespace
}  // namespace weft
