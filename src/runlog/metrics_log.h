// MetricsLog: writes metrics.jsonl, the log of a run, one JSON object a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/file_system.h"
#include "runlog/retrying_file.h"

namespace weft {

// Each line reaches the file in one write, so a run that is killed leaves whole lines. Floats are
// printed so that they read back to the same bits. Lines that the disk refuses are kept and tried
// again (retrying_file.h).
class MetricsLog {
 public:
  // Continues an existing file, but removes the lines of steps after `last_step`, which a resumed
  // run does again. Throws Error (kFailure).
  MetricsLog(const std::filesystem::path& path, int64_t last_step, FileSystem& files = disk());

  // Returns the message of the error that kept lines from being written; empty if all of them are.
  std::string write(const nlohmann::ordered_json& record);
  // Makes all lines survive a power loss. Throws Error (kFailure), also if one is still unwritten.
  void sync() { file_.sync(); }

 private:
  RetryingFile file_;
};

}  // namespace weft
