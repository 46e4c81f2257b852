#include "base/directory_lock.h"

#include <gtest/gtest.h>

#include <optional>

#include "support/temp_directory.h"

namespace weft {
namespace {

TEST(DirectoryLock, ExcludesOthersUntilItIsReleased) {
  const TempDirectory dir;

  std::optional<DirectoryLock> first(std::in_place, dir.path());
  EXPECT_FALSE(first->is_taken());
  EXPECT_TRUE(DirectoryLock(dir.path()).is_taken());
  first.reset();

  EXPECT_FALSE(DirectoryLock(dir.path()).is_taken());
}

TEST(DirectoryLock, LeavesNothingInTheDirectory) {
  const TempDirectory dir;

  const DirectoryLock lock(dir.path());

  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(DirectoryLock, ExcludesNoneIfThereIsNoDirectory) {
  const TempDirectory dir;

  EXPECT_FALSE(DirectoryLock(dir / "absent").is_taken());
}

}  // namespace
}  // namespace weft
