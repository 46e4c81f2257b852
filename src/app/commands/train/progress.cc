#include "app/commands/train/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/cli/format.h"

namespace weft {
namespace {

constexpr auto kLineInterval = std::chrono::seconds(1);
constexpr int kWidestBar = 24;
constexpr int kNarrowestBar = 6;
constexpr double kSmoothing = 0.9;

// "[######......] ", or nothing where there is no room for it.
std::string bar(double share, int columns) {
  const int cells = std::min(columns - 3, kWidestBar);
  if (cells < kNarrowestBar) return "";
  const int full = static_cast<int>(share * cells);
  return fmt::format("[{}{}] ", std::string(static_cast<size_t>(full), '#'),
                     std::string(static_cast<size_t>(cells - full), '.'));
}

double seconds_between(std::chrono::steady_clock::time_point from,
                       std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::string step_line(const StepReport& step, double seconds_left) {
  std::string line = fmt::format("step {}/{}  loss {:.4f}  grad {:.3f}  lr {:.2e}  {} tok/s",
                                 step.step, step.steps, step.loss, step.grad_norm, step.lr,
                                 format_count(std::llround(step.tokens_per_s)));
  if (step.mfu > 0.) line += fmt::format("  mfu {}", format_percent(step.mfu));
  return line + fmt::format("  eta {}", format_duration(seconds_left));
}

std::string live_line(const StepReport& step, double seconds_left, int width) {
  std::string line = fmt::format("{}/{}  loss {:.4f}  {} tok/s", step.step, step.steps, step.loss,
                                 format_count(std::llround(step.tokens_per_s)));
  if (step.mfu > 0.) line += fmt::format("  mfu {}", format_percent(step.mfu));
  line += fmt::format("  eta {}", format_duration(seconds_left));
  const double share = static_cast<double>(step.step) / static_cast<double>(step.steps);
  line = bar(share, width - static_cast<int>(line.size())) + line;
  return line.substr(0, static_cast<size_t>(std::max(width, 0)));
}

void Progress::started(const RunReport& run) {
  run_ = run;
  const double epochs = static_cast<double>(run.steps) /
                        static_cast<double>(std::max<int64_t>(run.steps_per_epoch, 1));
  terminal_.line(fmt::format("model    {}: {} parameters, {}", description_.model,
                             format_large(static_cast<double>(run.parameters)),
                             description_.origin));
  terminal_.line(fmt::format("data     {} tokens to train on, {} to validate on{}{}",
                             format_count(run.train_tokens), format_count(run.val_tokens),
                             description_.tokenizer.empty() ? "" : "; tokenizer ",
                             description_.tokenizer));
  terminal_.line(
      fmt::format("steps    {} to {} ({:.3g} epochs), {} tokens each: {} x {} x {} micro-steps",
                  run.first_step, run.steps, epochs, format_count(run.tokens_per_step),
                  description_.B, description_.T, run.micro_steps));
  terminal_.line(fmt::format("machine  {}; {} of memory", description_.machine,
                             format_bytes(run.memory_bytes)));
  terminal_.line(fmt::format("out      {}", description_.out));
  last_save_ = last_event_ = Clock::now();
}

bool Progress::is_due(const StepReport& step) {
  const Clock::time_point now = Clock::now();
  const bool first = !last_line_.has_value();
  if (!first && step.step != step.steps && now - *last_line_ < kLineInterval) return false;
  last_line_ = now;
  return true;
}

double Progress::seconds_left(const StepReport& step) const {
  return 1e-3 * smooth_step_ms_ * static_cast<double>(step.steps - step.step);
}

void Progress::stepped(const StepReport& step) {
  // The first step is slower than the rest: it touches all memory for the first time.
  const bool settled = last_step_ && last_step_->step > run_.first_step;
  smooth_step_ms_ =
      settled ? kSmoothing * smooth_step_ms_ + (1. - kSmoothing) * step.step_ms : step.step_ms;
  trained_ms_ += step.step_ms;
  last_step_ = step;
  last_event_ = Clock::now();
  for (const std::string& warning : watch_.look_at(step)) terminal_.line("warning: " + warning);
  if (terminal_.is_live()) {
    terminal_.live(live_line(step, seconds_left(step), terminal_.width() - 1));
  } else if (is_due(step)) {
    terminal_.line(step_line(step, seconds_left(step)));
  }
}

void Progress::validated(int64_t step, double loss) {
  if (!last_val_loss_ || loss < best_val_loss_) {
    best_val_loss_ = loss;
    best_val_step_ = step;
  }
  last_val_loss_ = loss;
  last_event_ = Clock::now();
  terminal_.line(fmt::format("step {}: validation loss {:.4f}{}", step, loss,
                             step == best_val_step_ ? ", the best so far" : ""));
}

void Progress::sampled(int64_t step, const std::string& text) {
  last_event_ = Clock::now();
  terminal_.line(fmt::format("step {}: sample\n{}\n", step, text));
}

void Progress::saved(int64_t step, const std::filesystem::path& path) {
  checkpoint_ = path;
  terminal_.line(fmt::format("step {}: saved {}", step, path.string()));
  // Saving began after the event before this one.
  const Clock::time_point now = Clock::now();
  watch_.saved(seconds_between(last_event_, now), seconds_between(last_save_, now));
  last_save_ = last_event_ = now;
}

void Progress::noted(const std::string& message) {
  terminal_.line(fmt::format("note: {}", message));
}

double Progress::mean_tokens_per_s() const {
  const int64_t steps = last_step_->step - run_.first_step + 1;
  return 1e3 * static_cast<double>(steps * run_.tokens_per_step) / trained_ms_;
}

void Progress::finish(TrainOutcome outcome) {
  if (!last_step_) {
    terminal_.line(fmt::format("the run already has all of its {} steps", run_.steps));
    return;
  }
  std::string line =
      fmt::format("{} after step {} of {}: {} of training at {} tokens/s, training loss {:.4f}",
                  outcome == TrainOutcome::kFinished ? "done" : "stopped", last_step_->step,
                  run_.steps, format_duration(1e-3 * trained_ms_),
                  format_count(std::llround(mean_tokens_per_s())), last_step_->loss);
  if (last_val_loss_) {
    line += fmt::format(", validation loss {:.4f} (best {:.4f} at step {})", *last_val_loss_,
                        best_val_loss_, best_val_step_);
  }
  terminal_.line(line);
}

}  // namespace weft
