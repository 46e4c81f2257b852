// RunFiles: the run directory of a training run, and what becomes of a run whose disk fails.
//
//   <run>/config.toml     what was run
//   <run>/metrics.jsonl   what happened (runlog/metrics_log.h)
//   <run>/events.out.*    the same for TensorBoard, if asked for (runlog/tensorboard.h)
//   <run>/checkpoints/    see run/checkpoint.h
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/directory_lock.h"
#include "base/file_system.h"
#include "data/tokenizer.h"
#include "run/checkpoint.h"
#include "runlog/metrics_log.h"
#include "runlog/tensorboard.h"
#include "step/training_step.h"

namespace weft {

// One run at a time has the directory. Call claim, then open, then the rest. Not thread-safe.
class RunFiles {
 public:
  using Note = std::function<void(const std::string&)>;

  struct Settings {
    std::filesystem::path directory;
    bool resume = false;
    int64_t keep = 3;  // checkpoints; 0: all
    bool tensorboard = false;
  };

  // note: told what the user should know and what is no error.
  RunFiles(Settings settings, Note note, FileSystem& files)
      : settings_(std::move(settings)), note_(std::move(note)), files_(files) {}

  // From here on a directory that is there is this run's alone. Writes nothing. Throws Error
  // (kInput) if another run is at work in it, or has been and is not to be resumed.
  void claim();

  // What the run continues from: the newest good checkpoint, if it is to resume and there is one.
  std::optional<FoundCheckpoint> checkpoint_to_resume() const;

  // Makes the directory, clears away what the run before left unfinished, a kill between two steps
  // included, and begins the log or continues it behind `found`.
  // Throws Error: kInput as claim, or if the directory cannot be made; kFailure if the disk fails.
  void open(const std::string& config_toml, const std::optional<FoundCheckpoint>& found);

  // A disk that refuses the line is noted once, until it takes lines again.
  void log(const nlohmann::ordered_json& record);
  // All lines survive a power loss. Throws Error (kFailure).
  void sync_log();

  // Writes the checkpoint and removes those that are not to be kept. Returns its path. Throws Error
  // (kFailure).
  std::filesystem::path save(const RunState& state, const TrainingState& training,
                             const Tokenizer* tokenizer, const BringMoment& bring = {});

  // The same, but a disk that fails or is full for a while need not cost what has been computed: it
  // is noted, there is no path, and the run can go on to the next checkpoint.
  std::optional<std::filesystem::path> try_to_save(const RunState& state,
                                                   const TrainingState& training,
                                                   const Tokenizer* tokenizer,
                                                   const BringMoment& bring = {});

 private:
  void make_directory();
  void note_refusal(const std::string& problem);

  Settings settings_;
  Note note_;
  FileSystem& files_;
  std::optional<DirectoryLock> lock_;
  std::optional<MetricsLog> log_;
  std::optional<EventLog> events_;
  std::string log_problem_;  // why lines wait; empty when none does
};

}  // namespace weft
