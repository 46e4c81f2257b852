#include "formats/run_layout.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

TEST(RunLayout, NamesACheckpointAfterItsStep) {
  const RunLayout layout{"run"};

  EXPECT_EQ(layout.checkpoint(100), fs::path("run/checkpoints/step_00000100"));
  EXPECT_EQ(layout.checkpoint(1234567890), fs::path("run/checkpoints/step_1234567890"));
  EXPECT_EQ(layout.unfinished(7), fs::path("run/checkpoints/.unfinished_step_00000007"));
  EXPECT_EQ(RunLayout::removed(layout.checkpoint(7)),
            fs::path("run/checkpoints/.unfinished_old_step_00000007"));
}

TEST(RunLayout, ListsCheckpointsByTheirNumbersNewestFirst) {
  const TempDirectory dir;
  const RunLayout layout{dir.path()};
  for (const char* name : {"step_9", "step_1000", "step_00000100", "step_", "step_-1", "step_1x",
                           ".unfinished_step_2", "step_99999999999999999999"}) {
    fs::create_directories(layout.checkpoints() / name);
  }
  dir.write("checkpoints/step_2000", "a file");

  EXPECT_EQ(layout.list_checkpoints(),
            (std::vector<fs::path>{layout.checkpoints() / "step_1000",
                                   layout.checkpoints() / "step_00000100",
                                   layout.checkpoints() / "step_9"}));
  EXPECT_EQ(layout.list_unfinished(),
            (std::vector<fs::path>{layout.checkpoints() / ".unfinished_step_2"}));
}

TEST(RunLayout, ListsNothingWhereThereIsNoRun) {
  EXPECT_TRUE(RunLayout{"missing"}.list_checkpoints().empty());
  EXPECT_TRUE(RunLayout{"missing"}.list_unfinished().empty());
}

}  // namespace
}  // namespace weft
