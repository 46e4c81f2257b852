// MetricsLog: metrics.jsonl, what happened in a run, one JSON object a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace weft {

// Each line reaches the file in one write, so a run that is killed leaves whole lines. Floats are
// printed so that they read back to the same bits. Throws Error (kFailure) on I/O errors.
class MetricsLog {
 public:
  // Continues the file, without the lines of steps after `last_step`: a resumed run does them
  // again.
  MetricsLog(const std::filesystem::path& path, int64_t last_step);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  void write(const nlohmann::ordered_json& record);

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace weft
