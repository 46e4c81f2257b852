// DirectoryLock: lets one process at a time work in a directory.
#pragma once

#include <filesystem>

#include "base/system_calls.h"

namespace weft {

// An advisory lock (flock(2)): it excludes only processes that also ask for it. It leaves nothing
// on the disk and is released when its process ends, in whatever way. If the directory cannot be
// opened, or lies on a file system without such locks, there is no lock and no process is excluded.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::filesystem::path& directory);

  // True if another DirectoryLock, of this process or another, holds the directory. Then this one
  // locks nothing.
  bool is_taken() const { return is_taken_; }

 private:
  Descriptor directory_;
  bool is_taken_ = false;
};

}  // namespace weft
