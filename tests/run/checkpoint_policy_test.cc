#include "run/checkpoint_policy.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "formats/run_layout.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

class CheckpointPolicyTest : public testing::Test {
 protected:
  CheckpointPolicyTest() {
    for (const int64_t step : {2, 4, 6, 8}) {
      std::filesystem::create_directories(layout_.checkpoint(step));
    }
  }

  std::set<int64_t> steps_after_pruning(int64_t newest, int64_t keep) {
    prune_checkpoints(layout_.directory, layout_.checkpoint(newest), keep);
    std::set<int64_t> steps;
    for (const int64_t step : {2, 4, 6, 8}) {
      if (std::filesystem::exists(layout_.checkpoint(step))) steps.insert(step);
    }
    return steps;
  }

  TempDirectory dir_;
  RunLayout layout_{dir_.path()};
};

TEST(IsDue, AfterEverySoManySteps) {
  EXPECT_TRUE(is_due(6, 3));
  EXPECT_FALSE(is_due(7, 3));
  EXPECT_FALSE(is_due(6, 0));
}

TEST_F(CheckpointPolicyTest, KeepsTheNewestOnes) {
  EXPECT_EQ(steps_after_pruning(8, 2), (std::set<int64_t>{6, 8}));
}

TEST_F(CheckpointPolicyTest, KeepsAllOfThemForZero) {
  EXPECT_EQ(steps_after_pruning(8, 0), (std::set<int64_t>{2, 4, 6, 8}));
}

TEST_F(CheckpointPolicyTest, DoesNotCountThoseAfterTheOneJustWritten) {
  EXPECT_EQ(steps_after_pruning(4, 1), (std::set<int64_t>{4, 6, 8}));
}

TEST_F(CheckpointPolicyTest, LeavesNothingHalfRemoved) {
  steps_after_pruning(8, 1);

  EXPECT_TRUE(layout_.list_unfinished().empty());
}

}  // namespace
}  // namespace weft
