// AtomicFile: a file that appears under its name only when it is complete.
#pragma once

#include <cstddef>
#include <filesystem>

#include "base/files.h"

namespace weft {

// Writes `<path>.partial` and renames it in finish(). What stood at `path` stays whole until then,
// so a reader of the old file (even one that maps it) is safe. Without finish, the destructor
// removes what was written. Throws Error (kFailure).
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void append(const void* data, size_t bytes) { file_.append(data, bytes); }
  void finish();

 private:
  std::filesystem::path path_;
  std::filesystem::path partial_;
  FileWriter file_;
  bool finished_ = false;
};

}  // namespace weft
