// Progress: shows on standard error how a training run goes.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "app/cli/terminal.h"
#include "app/commands/train/run_watch.h"
#include "run/trainer.h"

namespace weft {

// Facts of the run that the trainer does not know.
struct RunDescription {
  std::string model;
  std::string origin;     // "random weights"
  std::string tokenizer;  // "" for shards without one
  std::string machine;    // executor, threads, libraries, peak
  std::string out;
  int64_t B = 0, T = 0;
};

// Updates a live line at every step on a terminal. On a pipe, prints a line for the first step, the
// last, and about one step a second between them. Warnings are lines on both.
class Progress : public TrainListener {
 public:
  Progress(Terminal& terminal, RunDescription description)
      : terminal_(terminal), description_(std::move(description)) {}

  void started(const RunReport& run) override;
  void stepped(const StepReport& step) override;
  void validated(int64_t step, double loss) override;
  void sampled(int64_t step, const std::string& text) override;
  void saved(int64_t step, const std::filesystem::path& path) override;
  void noted(const std::string& message) override;

  // Prints the lines after the run: steps, time and losses.
  void finish(TrainOutcome outcome);

  // Returns the last checkpoint that was saved; empty if none was.
  const std::filesystem::path& checkpoint() const { return checkpoint_; }

 private:
  using Clock = std::chrono::steady_clock;

  bool is_due(const StepReport& step);
  double seconds_left(const StepReport& step) const;
  double mean_tokens_per_s() const;

  Terminal& terminal_;
  RunDescription description_;
  RunReport run_;
  std::optional<StepReport> last_step_;
  double trained_ms_ = 0.;      // in this process
  double smooth_step_ms_ = 0.;  // of recent steps
  std::optional<Clock::time_point> last_line_;
  RunWatch watch_;
  Clock::time_point last_save_;   // or the start
  Clock::time_point last_event_;  // of the last event of the trainer
  std::optional<double> last_val_loss_;
  double best_val_loss_ = 0.;
  int64_t best_val_step_ = 0;
  std::filesystem::path checkpoint_;
};

// "step 12/100  loss 3.2101  ..  eta 0:07", for a pipe.
std::string step_line(const StepReport& step, double seconds_left);

// Returns the same line after a progress bar, in at most `width` columns.
std::string live_line(const StepReport& step, double seconds_left, int width);

}  // namespace weft
