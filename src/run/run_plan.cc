#include "run/run_plan.h"

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

int64_t length_in_steps(const TrainSettings& settings, const Dataset& dataset,
                        int64_t tokens_per_step) {
  const BatchSettings& batches = settings.batches;
  if (batches.steps != 0) return batches.steps;
  const double epochs = batches.epochs != 0. ? batches.epochs : 1.;
  const int64_t T = settings.step.T;
  const double epoch_tokens = double(dataset.train.samples(T) * T);
  return std::max<int64_t>(1, std::llround(epochs * epoch_tokens / double(tokens_per_step)));
}

}  // namespace

int ranks_of(const TrainSettings& settings) {
  return settings.step.communicator != nullptr ? settings.step.communicator->size() : 1;
}

int64_t workers_of(const TrainSettings& settings) {
  return ranks_of(settings) - (settings.step.distribution.dedicated_server ? 1 : 0);
}

RunPlan plan_run(const TrainSettings& settings, const Dataset& dataset) {
  const BatchSettings& batches = settings.batches;
  RunPlan plan = {
      .step = settings.step, .tokens_per_step = 0, .schedule = settings.schedule, .batches = {}};
  const int64_t least = plan.step.B * plan.step.T * workers_of(settings);
  plan.tokens_per_step = batches.total_tokens != 0 ? batches.total_tokens : least;
  plan.step.micro_steps = plan.tokens_per_step / least;
  plan.schedule.steps = length_in_steps(settings, dataset, plan.tokens_per_step);
  plan.batches = {.B = plan.step.B,
                  .T = plan.step.T,
                  .micro_batches = plan.step.workers().micro_batches(),
                  .shuffle = batches.shuffle,
                  .seed = batches.seed};
  return plan;
}

}  // namespace weft
