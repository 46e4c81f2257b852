// MetricsLog: metrics.jsonl, what happened in a run, one JSON object a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/file_system.h"
#include "runlog/retrying_file.h"

namespace weft {

// Each line reaches the file in one write, so a run that is killed leaves whole lines. Floats are
// printed so that they read back to the same bits. A disk that refuses a line need not end a run:
// lines wait in memory until it takes them again. Throws Error (kFailure) where it says so.
class MetricsLog {
 public:
  // Continues the file, without the lines of steps after `last_step`: a resumed run does them
  // again. Throws.
  MetricsLog(const std::filesystem::path& path, int64_t last_step, FileSystem& files = disk());

  // Returns what went wrong; empty when no line waits.
  std::string write(const nlohmann::ordered_json& record);
  // All lines survive a power loss. Throws when one still waits.
  void sync() { file_.sync(); }

 private:
  RetryingFile file_;
};

}  // namespace weft
