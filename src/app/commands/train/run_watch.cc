#include "app/commands/train/run_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/cli/format.h"

namespace weft {
namespace {

// The averages are used after kSettled steps, since the first step of a process is slower than the
// rest. They cover some twenty steps: a longer average lags behind a falling loss, and takes the
// fall for noise.
constexpr int64_t kSettled = 20;
constexpr double kWeight = 0.05;
constexpr int64_t kQuietSteps = 50;

// A jump must be far outside of the noise of batches (eight mean deviations are more than six
// standard deviations) and a considerable share of the loss.
constexpr double kLossDeviations = 8., kLossShare = 0.1;
constexpr double kNormFactor = 10.;

// Short disturbances by other processes cause no warning.
constexpr double kSlowFactor = 2., kSlowMs = 1e4;
constexpr int64_t kSlowSteps = 10;

constexpr double kSavingS = 1., kSavingShare = 0.25;

}  // namespace

void RecentMean::add(double value) {
  ++count_;
  mean_ += std::max(kWeight, 1. / static_cast<double>(count_)) * (value - mean_);
}

std::vector<std::string> RunWatch::look_at(const StepReport& step) {
  std::vector<std::string> warnings;
  look_at_loss(step, warnings);
  look_at_gradient(step, warnings);
  look_at_time(step, warnings);
  look_at_save(warnings);
  return warnings;
}

void RunWatch::look_at_loss(const StepReport& step, std::vector<std::string>& warnings) {
  const double mean = loss_.mean(), jump = step.loss - mean;
  const bool is_odd = loss_.count() >= kSettled && jump > kLossShare * mean &&
                      jump > kLossDeviations * loss_deviation_.mean();
  if (is_odd && step.step >= quiet_about_loss_until_) {
    quiet_about_loss_until_ = step.step + kQuietSteps;
    warnings.push_back(fmt::format(
        "step {}: the loss jumped to {:.4f}, from {:.4f} on average; if it stays there, "
        "lower --lr or lengthen --warmup",
        step.step, step.loss, mean));
  }
  if (loss_.count() > 0) loss_deviation_.add(std::abs(jump));
  loss_.add(step.loss);
}

void RunWatch::look_at_gradient(const StepReport& step, std::vector<std::string>& warnings) {
  if (step.grad_norm <= 0.) return;
  const double mean = std::exp(log_norm_.mean());
  const bool is_odd = log_norm_.count() >= kSettled && step.grad_norm > kNormFactor * mean;
  if (is_odd && step.step >= quiet_about_gradient_until_) {
    quiet_about_gradient_until_ = step.step + kQuietSteps;
    warnings.push_back(
        fmt::format("step {}: the gradient norm jumped to {:.3g}, from {:.3g} on average; the run "
                    "may be about to diverge",
                    step.step, step.grad_norm, mean));
  }
  log_norm_.add(std::log(step.grad_norm));
}

void RunWatch::look_at_time(const StepReport& step, std::vector<std::string>& warnings) {
  if (step_ms_.count() < kSettled || step.step_ms < kSlowFactor * step_ms_.mean()) {
    step_ms_.add(step.step_ms);
    slow_steps_ = 0;
    slow_ms_ = 0.;
    return;
  }
  ++slow_steps_;
  slow_ms_ += step.step_ms;
  if (slow_steps_ < kSlowSteps || slow_ms_ < kSlowMs) return;
  const double now_ms = slow_ms_ / static_cast<double>(slow_steps_);
  warnings.push_back(
      fmt::format("step {}: the last {} steps took {:.3g} s each, those before {:.3g} s; does "
                  "something else use the CPUs?",
                  step.step, slow_steps_, 1e-3 * now_ms, 1e-3 * step_ms_.mean()));
  step_ms_ = {};  // the new time becomes the usual one
}

void RunWatch::look_at_save(std::vector<std::string>& warnings) {
  const std::optional<Save> save = std::exchange(save_, std::nullopt);
  if (!save || warned_of_saving_ || save->saving_s < kSavingS) return;
  if (save->saving_s < kSavingShare * save->since_last_s) return;
  warned_of_saving_ = true;
  warnings.push_back(fmt::format(
      "the last checkpoint took {:.3g} s, {} of the time since the one before; a larger "
      "--checkpoint-every or a faster disk helps",
      save->saving_s, format_percent(save->saving_s / save->since_last_s)));
}

}  // namespace weft
