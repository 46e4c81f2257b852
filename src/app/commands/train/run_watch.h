// RunWatch: detects problems of a run that the user should look at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/trainer.h"

namespace weft {

// An exponential moving average over a few dozen values.
class RecentMean {
 public:
  void add(double value);
  double mean() const { return mean_; }
  int64_t count() const { return count_; }

 private:
  double mean_ = 0.;
  int64_t count_ = 0;
};

// A warning is a sentence without a full stop, and is not repeated for a while.
class RunWatch {
 public:
  // Returns warnings about a loss or a gradient norm that jumps, steps that have become slow, and
  // checkpoints that take much of the run's time.
  std::vector<std::string> look_at(const StepReport& step);

  // Records how long a checkpoint took, and the time from the end of the one before (or the start)
  // to its own. The next step judges it: the last checkpoint of a run is no reason for a warning.
  void saved(double saving_s, double since_last_s) { save_ = {saving_s, since_last_s}; }

 private:
  void look_at_loss(const StepReport& step, std::vector<std::string>& warnings);
  void look_at_gradient(const StepReport& step, std::vector<std::string>& warnings);
  void look_at_time(const StepReport& step, std::vector<std::string>& warnings);
  void look_at_save(std::vector<std::string>& warnings);

  struct Save {
    double saving_s, since_last_s;
  };

  RecentMean loss_, loss_deviation_, log_norm_, step_ms_;
  int64_t quiet_about_loss_until_ = 0, quiet_about_gradient_until_ = 0;  // steps
  int64_t slow_steps_ = 0;                                               // in a row, up to now
  double slow_ms_ = 0.;                                                  // their time
  std::optional<Save> save_;  // before the step that comes next
  bool warned_of_saving_ = false;
};

}  // namespace weft
