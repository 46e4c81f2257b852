#include "run/run_directory.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file_writer.h"
#include "base/paths.h"
#include "run/checkpoint_policy.h"

namespace weft {

namespace fs = std::filesystem;

void RunDirectory::claim() {
  const fs::path& directory = settings_.directory;
  if (!lock_ && directory_exists(directory)) lock_.emplace(directory);
  if (lock_ && lock_->is_taken()) {
    throw input_error("train", fmt::format("another run is at work in {}", directory.string()),
                      "wait until it ends, or choose another --out");
  }
  std::error_code unreadable;  // open() reports what is wrong
  if (!settings_.resume && fs::exists(layout_.metrics(), unreadable)) {
    throw input_error("train", fmt::format("{} already holds a run", directory.string()),
                      "continue it with --resume, or choose another --out");
  }
}

std::optional<FoundCheckpoint> RunDirectory::checkpoint_to_resume() const {
  if (!settings_.resume) return std::nullopt;
  return newest_good_checkpoint(settings_.directory, note_);
}

void RunDirectory::open(const std::optional<FoundCheckpoint>& found) {
  const fs::path& directory = settings_.directory;
  make_directory();
  claim();  // another run may have made the directory at the same time
  remove_unfinished_checkpoints(directory, files_);
  if (found) prune_checkpoints(directory, found->path, keep_, files_);
  AtomicFile config(layout_.config(), files_);
  config.append(settings_.config_toml);
  config.finish();
  const int64_t done = found ? found->state.step : 0;
  log_.emplace(layout_.metrics(), done, files_);
  if (!settings_.tensorboard) return;
  events_.emplace(directory, files_);
  note_refusal(events_->begin(done + 1, settings_.config_toml));
}

// An error here is most often a wrong --out, so it is the user's.
void RunDirectory::make_directory() {
  try {
    create_directories_durably(settings_.directory, files_);
  } catch (const Error& error) {
    throw input_error("train", fmt::format("--out: {}", error.message()), error.hint());
  }
}

void RunDirectory::log(const nlohmann::ordered_json& record) {
  const std::string of_log = log_->write(record);
  const std::string of_events = events_ ? events_->write(record) : "";
  note_refusal(of_log.empty() ? of_events : of_log);
}

void RunDirectory::note_refusal(const std::string& problem) {
  if (!problem.empty() && log_problem_.empty()) {
    note_(problem + "; the lines wait in memory, and the run goes on");
  }
  log_problem_ = problem;
}

void RunDirectory::sync_log() {
  log_->sync();
  if (events_) events_->sync();
}

// Syncs the log first: a run that continues from this checkpoint does not repeat its lines.
fs::path RunDirectory::save(const RunState& state, const TrainingState& training,
                            const Tokenizer* tokenizer, const FetchShard& fetch) {
  sync_log();
  fs::path path = write_checkpoint(settings_.directory, state, training, tokenizer, files_, fetch);
  prune_checkpoints(settings_.directory, path, keep_, files_);
  log({{"kind", "checkpoint"}, {"step", state.step}, {"path", path.string()}});
  return path;
}

std::optional<fs::path> RunDirectory::try_to_save(const RunState& state,
                                                  const TrainingState& training,
                                                  const Tokenizer* tokenizer,
                                                  const FetchShard& fetch) {
  try {
    return save(state, training, tokenizer, fetch);
  } catch (const Error& error) {
    note_(fmt::format("no checkpoint of step {}: {}; earlier ones are whole, and the run goes on",
                      state.step, error.what()));
    return std::nullopt;
  }
}

}  // namespace weft
