#include "run/run_identity.h"

#include <fmt/format.h>

#include <string>

namespace weft {
namespace {

std::string schedule_text(const Schedule& s) {
  return fmt::format("kind {} lr {} warmup {} final {} steps {}", int(s.kind), s.lr, s.warmup,
                     s.final_lr_fraction, s.steps);
}

std::string optimizer_text(const StepSettings& step) {
  return fmt::format("{} clip {}", step.optimizer->settings_text(), step.grad_clip);
}

// The order in which gradients are added.
std::string batching_text(const StepSettings& step) {
  const Workers workers = step.workers();
  if (step.distribution.reproducible) {
    return fmt::format("B {} micro-batches {} in a tree", step.B, workers.micro_batches());
  }
  std::string text = fmt::format("B {} micro-steps {}", step.B, step.micro_steps);
  if (workers.count() > 1) text += fmt::format(" on {} ranks", workers.count());
  return text;
}

}  // namespace

Facts facts_of_run(const TrainSettings& settings, const Dataset& dataset) {
  Facts facts = settings.facts;
  facts.emplace_back("model", to_string(settings.model));
  facts.emplace_back("the data's fingerprint", fmt::format("{:016x}", dataset.train.fingerprint()));
  const uint64_t val = dataset.val ? dataset.val->fingerprint() : 0;
  facts.emplace_back("the validation data's fingerprint", fmt::format("{:016x}", val));
  return facts;
}

RunState run_identity(const TrainSettings& settings, const RunPlan& plan, const Dataset& dataset) {
  return {.seed = settings.batches.seed,
          .shuffle = settings.batches.shuffle,
          .T = plan.step.T,
          .sequences_per_step = plan.tokens_per_step / plan.step.T,
          .data_fingerprint = dataset.train.fingerprint(),
          .schedule = schedule_text(plan.schedule),
          .optimizer = optimizer_text(plan.step),
          .batching = batching_text(plan.step),
          .precision = precision_name(plan.step.precision)};
}

}  // namespace weft
