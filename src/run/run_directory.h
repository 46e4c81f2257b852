// RunDirectory: writes the directory of a training run, and decides how a run goes on when its disk
// fails. formats/run_layout.h shows what lies where.
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
#include "formats/run_layout.h"
#include "run/checkpoint.h"
#include "runlog/metrics_log.h"
#include "runlog/tensorboard.h"
#include "step/training_step.h"

namespace weft {

struct OutputSettings {
  std::filesystem::path directory;
  bool resume = false;          // continue the run that the directory holds
  bool tensorboard = false;     // write event files beside the log
  std::string config_toml;      // written to config.toml as it is
  std::string run_json = "{}";  // an object that the log's first line includes: version, machine
};

// A RunDirectory belongs to one run at a time. Call claim, then open, then the rest. Not
// thread-safe.
class RunDirectory {
 public:
  // Called with a message that the user should see although it is no error.
  using Note = std::function<void(const std::string&)>;

  // keep: the number of checkpoints that stay, as in CheckpointPolicy.
  RunDirectory(OutputSettings settings, int64_t keep, Note note, FileSystem& files)
      : settings_(std::move(settings)),
        layout_{settings_.directory},
        keep_(keep),
        note_(std::move(note)),
        files_(files) {}

  // Locks the directory for this run, if it exists. Writes nothing. Throws Error (kInput) if
  // another run uses it, or if it holds a run that is not to be resumed.
  void claim();

  // The newest good checkpoint, if the run is to resume and there is one.
  std::optional<FoundCheckpoint> checkpoint_to_resume() const;

  // Makes the directory, removes what an earlier run left unfinished (even by a kill between two
  // steps), and begins the log or continues it after `found`.
  // Throws Error: kInput as claim, or if the directory cannot be made; kFailure if the disk fails.
  void open(const std::optional<FoundCheckpoint>& found);

  // Lines that the disk refuses wait in memory; the first refusal is noted.
  void log(const nlohmann::ordered_json& record);
  // Makes all lines survive a power loss. Throws Error (kFailure).
  void sync_log();

  // Writes a checkpoint and removes those that are not to be kept. Returns its path. Throws Error
  // (kFailure).
  std::filesystem::path save(const RunState& state, const TrainingState& training,
                             const Tokenizer* tokenizer, const FetchShard& fetch = {});

  // Like save, but an error is noted, and then there is no path: a disk that fails or is full for a
  // while need not cost the run what it has computed.
  std::optional<std::filesystem::path> try_to_save(const RunState& state,
                                                   const TrainingState& training,
                                                   const Tokenizer* tokenizer,
                                                   const FetchShard& fetch = {});

 private:
  void make_directory();
  void note_refusal(const std::string& problem);

  OutputSettings settings_;
  RunLayout layout_;
  int64_t keep_;
  Note note_;
  FileSystem& files_;
  std::optional<DirectoryLock> lock_;
  std::optional<MetricsLog> log_;
  std::optional<EventLog> events_;
  std::string log_problem_;  // why lines wait in memory; empty when none does
};

}  // namespace weft
