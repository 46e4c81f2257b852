#include "base/memory.h"

#include <gtest/gtest.h>

#include "support/error_of.h"

namespace weft {
namespace {

constexpr uint64_t kGB = 1'000'000'000;

TEST(Memory, ReadsWhatTheKernelSays) {
  const auto memory = parse_meminfo(
      "MemTotal:       32000000 kB\nMemFree:         1000000 kB\nMemAvailable:    4000000 kB\n"
      "SwapTotal:       2000000 kB\nSwapFree:        1500000 kB\n");

  ASSERT_TRUE(memory.has_value());
  EXPECT_EQ(memory->ram_bytes, 4096000000u);
  EXPECT_EQ(memory->swap_bytes, 1536000000u);
}

TEST(Memory, KnowsNothingWhereTheKernelSaysNothing) {
  EXPECT_FALSE(parse_meminfo("").has_value());
  EXPECT_FALSE(parse_meminfo("MemAvailable: many kB\n").has_value());
  EXPECT_FALSE(parse_meminfo("XMemAvailable: 1 kB\n").has_value());
}

TEST(Memory, AControlGroupLeavesItsLimitWithoutWhatCannotBeGivenBack) {
  EXPECT_EQ(group_memory_left("1000\n", "700\n", "anon 300\ninactive_file 250\n"), 550u);
  EXPECT_EQ(group_memory_left("1000\n", "1200\n", ""), 0u);
  EXPECT_EQ(group_memory_left("1000\n", "100\n", "inactive_file 900\n"), 1000u);
  EXPECT_FALSE(group_memory_left("max\n", "700\n", "").has_value());
  EXPECT_FALSE(group_memory_left("", "", "").has_value());
}

TEST(Memory, ThisMachineHasSome) {
  const auto memory = available_memory();
  if (!memory) GTEST_SKIP() << "no /proc/meminfo on this system";

  EXPECT_GT(memory->ram_bytes, 1'000'000u);
}

TEST(Memory, WhatDoesNotFitIsAnErrorThatSaysHowMuchIsMissing) {
  const AvailableMemory available = {.ram_bytes = 4 * kGB + kGB / 10, .swap_bytes = kGB};

  const std::string error = error_of(
      [&] { require_memory(9 * kGB + kGB / 3, "training", "use a smaller model", available); });

  EXPECT_EQ(error, "[memory] training needs 9.3 GB, 4.1 GB available; use a smaller model");
}

TEST(Memory, WhatFitsOnlyWithSwapIsAWarning) {
  const AvailableMemory available = {.ram_bytes = 4 * kGB, .swap_bytes = 2 * kGB};

  EXPECT_EQ(require_memory(4 * kGB, "training", "hint", available), "");
  EXPECT_TRUE(mentions(require_memory(5 * kGB, "training", "hint", available),
                       {"training needs 5.0 GB, 4.0 GB available", "swap"}));
  EXPECT_EQ(require_memory(1000 * kGB, "training", "hint", std::nullopt), "");
}

}  // namespace
}  // namespace weft
