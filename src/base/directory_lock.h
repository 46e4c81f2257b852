// DirectoryLock: a directory that one process at a time may work in.
#pragma once

#include <filesystem>

#include "base/system_calls.h"

namespace weft {

// An advisory lock, as flock(2): it binds those who ask for it. It leaves nothing on the disk, and
// vanishes with its process, however that ends. Where the directory cannot be opened, or lies on a
// file system without such locks, there is none, and nobody is kept out.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::filesystem::path& directory);

  // Somebody else, of this process or another, has the directory: this is no lock.
  bool is_taken() const { return is_taken_; }

 private:
  Descriptor directory_;
  bool is_taken_ = false;
};

}  // namespace weft
