// RetryingFile: a file that a run appends to, on a disk that may refuse to write for a while.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"

namespace weft {

// Each append reaches the file in one write, so a run that is killed leaves whole lines or records.
// Bytes that the disk refuses are kept in memory, and each later call tries them again: a full disk
// need not end a run. Not thread-safe.
class RetryingFile {
 public:
  // Syncs the directory, so that the file's name survives a power loss. Throws Error (kFailure).
  RetryingFile(const std::filesystem::path& path, FileSystem::Mode mode, FileSystem& files);

  // Returns the message of the error that kept bytes from being written; empty if all of them are.
  std::string append(std::string_view bytes);

  // Makes all bytes survive a power loss. Throws Error (kFailure), also if some are still
  // unwritten.
  void sync();

 private:
  void write_pending();

  std::unique_ptr<WritableFile> file_;
  std::string pending_;  // bytes that the disk has not taken yet
};

}  // namespace weft
