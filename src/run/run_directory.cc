#include "run/run_directory.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file_writer.h"
#include "base/paths.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLogFile = "metrics.jsonl";

}  // namespace

void RunFiles::claim() {
  const fs::path& directory = settings_.directory;
  if (!lock_ && directory_exists(directory)) lock_.emplace(directory);
  if (lock_ && lock_->is_taken()) {
    throw input_error("train", fmt::format("another run is at work in {}", directory.string()),
                      "wait until it ends, or choose another --out");
  }
  std::error_code unreadable;  // making the directory says what is wrong
  if (!settings_.resume && fs::exists(directory / kLogFile, unreadable)) {
    throw input_error("train", fmt::format("{} already holds a run", directory.string()),
                      "continue it with --resume, or choose another --out");
  }
}

std::optional<FoundCheckpoint> RunFiles::checkpoint_to_resume() const {
  if (!settings_.resume) return std::nullopt;
  return newest_good_checkpoint(settings_.directory, note_);
}

void RunFiles::open(const std::string& config_toml, const std::optional<FoundCheckpoint>& found) {
  const fs::path& directory = settings_.directory;
  make_directory();
  claim();  // if it is new, another run may have made it at the same time
  remove_unfinished_checkpoints(directory, files_);
  if (found) prune_checkpoints(directory, found->path, settings_.keep, files_);
  AtomicFile config(directory / "config.toml", files_);
  config.append(config_toml);
  config.finish();
  const int64_t done = found ? found->state.step : 0;
  log_.emplace(directory / kLogFile, done, files_);
  if (!settings_.tensorboard) return;
  events_.emplace(directory, files_);
  note_refusal(events_->begin(done + 1, config_toml));
}

// Most often it is the name that is wrong.
void RunFiles::make_directory() {
  try {
    create_directories_durably(settings_.directory, files_);
  } catch (const Error& error) {
    throw input_error("train", fmt::format("--out: {}", error.message()), error.hint());
  }
}

void RunFiles::log(const nlohmann::ordered_json& record) {
  const std::string of_log = log_->write(record);
  const std::string of_events = events_ ? events_->write(record) : "";
  note_refusal(of_log.empty() ? of_events : of_log);
}

void RunFiles::note_refusal(const std::string& problem) {
  if (!problem.empty() && log_problem_.empty()) {
    note_(problem + "; the lines wait in memory, and the run goes on");
  }
  log_problem_ = problem;
}

void RunFiles::sync_log() {
  log_->sync();
  if (events_) events_->sync();
}

// The log goes first: a run that continues from this checkpoint does not repeat its lines.
fs::path RunFiles::save(const RunState& state, const TrainingState& training,
                        const Tokenizer* tokenizer, const BringMoment& bring) {
  sync_log();
  fs::path path = write_checkpoint(settings_.directory, state, training, tokenizer, files_, bring);
  prune_checkpoints(settings_.directory, path, settings_.keep, files_);
  log({{"kind", "checkpoint"}, {"step", state.step}, {"path", path.string()}});
  return path;
}

std::optional<fs::path> RunFiles::try_to_save(const RunState& state, const TrainingState& training,
                                              const Tokenizer* tokenizer,
                                              const BringMoment& bring) {
  try {
    return save(state, training, tokenizer, bring);
  } catch (const Error& error) {
    note_(fmt::format("no checkpoint of step {}: {}; earlier ones are whole, and the run goes on",
                      state.step, error.what()));
    return std::nullopt;
  }
}

}  // namespace weft
