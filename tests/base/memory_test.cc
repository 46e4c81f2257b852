#include "base/memory.h"

#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

constexpr uint64_t kGB = 1'000'000'000;

// A /proc/meminfo in a directory of its own.
class SystemMemory : public testing::Test {
 protected:
  std::optional<AvailableMemory> memory_of(const std::string& meminfo) const {
    write("proc/meminfo", meminfo);
    return available_memory(root_.path());
  }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    root_.write(name, text);
  }

  TempDirectory root_;
};

TEST_F(SystemMemory, IsReadFromTheKernel) {
  const auto memory = memory_of(
      "MemTotal:       32000000 kB\nMemFree:         1000000 kB\nMemAvailable:    4000000 kB\n"
      "SwapTotal:       2000000 kB\nSwapFree:        1500000 kB\n");

  ASSERT_TRUE(memory.has_value());
  EXPECT_EQ(memory->ram_bytes, 4096000000u);
  EXPECT_EQ(memory->swap_bytes, 1536000000u);
}

TEST_F(SystemMemory, IsUnknownIfTheKernelDoesNotReportIt) {
  EXPECT_FALSE(available_memory(root_.path()).has_value());
  EXPECT_FALSE(memory_of("").has_value());
  EXPECT_FALSE(memory_of("MemAvailable: many kB\n").has_value());
  EXPECT_FALSE(memory_of("XMemAvailable: 1 kB\n").has_value());
}

TEST_F(SystemMemory, IsLimitedByTheControlGroup) {
  write("proc/self/cgroup", "0::/job\n");
  write("sys/fs/cgroup/job/memory.max", "1000\n");
  write("sys/fs/cgroup/job/memory.current", "700\n");
  write("sys/fs/cgroup/job/memory.stat", "anon 300\ninactive_file 250\n");

  EXPECT_EQ(memory_of("MemAvailable: 4000000 kB\n")->ram_bytes, 550u);
}

TEST(Memory, ThisMachineHasSome) {
  const auto memory = available_memory();
  if (!memory) GTEST_SKIP() << "no /proc/meminfo on this system";

  EXPECT_GT(memory->ram_bytes, 1'000'000u);
}

TEST(Memory, ARunThatDoesNotFitIsAnErrorThatSaysHowMuchIsMissing) {
  const AvailableMemory available = {.ram_bytes = 4 * kGB + kGB / 10, .swap_bytes = kGB};

  const std::string error = error_of(
      [&] { require_memory(9 * kGB + kGB / 3, "training", "use a smaller model", available); });

  EXPECT_EQ(error, "[memory] training needs 9.3 GB, 4.1 GB available; use a smaller model");
}

TEST(Memory, ARunThatFitsOnlyWithSwapIsAWarning) {
  const AvailableMemory available = {.ram_bytes = 4 * kGB, .swap_bytes = 2 * kGB};

  EXPECT_EQ(require_memory(4 * kGB, "training", "hint", available), "");
  EXPECT_TRUE(mentions(require_memory(5 * kGB, "training", "hint", available),
                       {"training needs 5.0 GB, 4.0 GB available", "swap"}));
  EXPECT_EQ(require_memory(1000 * kGB, "training", "hint", std::nullopt), "");
}

}  // namespace
}  // namespace weft
