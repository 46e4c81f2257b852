// RunLayout: where the files of a training run lie. No other place knows their names.
//
//   <run>/config.toml                          the flags of the run
//   <run>/metrics.jsonl                        losses, speeds and events (runlog/metrics_log.h)
//   <run>/events.out.*                         the same for TensorBoard (runlog/tensorboard.h)
//   <run>/checkpoints/step_00000100/           a Hugging Face model directory and, besides,
//       optimizer.safetensors, state.json      what --resume needs (run/checkpoint.h)
//   <run>/checkpoints/.unfinished_*            a checkpoint that is being written or removed
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace weft {

inline constexpr const char* kMetricsFile = "metrics.jsonl";
inline constexpr const char* kStateFile =
    "state.json";  // a directory that holds it is a checkpoint
inline constexpr const char* kOptimizerFile = "optimizer.safetensors";

struct RunLayout {
  std::filesystem::path directory;

  std::filesystem::path config() const { return directory / "config.toml"; }
  std::filesystem::path metrics() const { return directory / kMetricsFile; }
  std::filesystem::path checkpoints() const { return directory / "checkpoints"; }
  std::filesystem::path checkpoint(int64_t step) const;
  // The names under which a checkpoint is written, and those under which it is removed.
  std::filesystem::path unfinished(int64_t step) const;
  static std::filesystem::path removed(const std::filesystem::path& checkpoint);

  // The directories under checkpoints/ that are named after a step, newest first. Their content may
  // be damaged.
  std::vector<std::filesystem::path> list_checkpoints() const;
  std::vector<std::filesystem::path> list_unfinished() const;
};

}  // namespace weft
