#include "base/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>

namespace weft {

DirectoryLock::DirectoryLock(const std::filesystem::path& directory)
    : directory_(uninterrupted(
          [&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); })) {
  if (directory_.get() < 0) return;
  const int locked = uninterrupted([&] { return ::flock(directory_.get(), LOCK_EX | LOCK_NB); });
  is_taken_ = locked != 0 && errno == EWOULDBLOCK;
}

}  // namespace weft
