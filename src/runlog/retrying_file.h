// PatientFile: a file that grows while a run goes, on a disk that may refuse for a while.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"

namespace weft {

// What is appended reaches the file in one write, so a run that is killed leaves whole lines or
// records. What a disk refuses waits in memory until it takes it: a full disk need not end a run.
// Not thread-safe.
class PatientFile {
 public:
  // Its name survives a power loss. Throws Error (kFailure).
  PatientFile(const std::filesystem::path& path, FileSystem::Mode mode, FileSystem& files);

  // Returns what went wrong; empty when nothing waits.
  std::string append(std::string_view bytes);
  // All of it survives a power loss. Throws Error (kFailure), also when something still waits.
  void sync();

 private:
  void write_waiting();

  std::unique_ptr<WritableFile> file_;
  std::string waiting_;  // what the disk has not taken yet
};

}  // namespace weft
