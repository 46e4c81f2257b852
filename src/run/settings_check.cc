#include "run/settings_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/math.h"
#include "infer/evaluate.h"
#include "parallel/strategy.h"
#include "run/run_plan.h"

namespace weft {
namespace {

void check_shape(const TrainSettings& settings) {
  validate(settings.model);
  const StepSettings& step = settings.step;
  if (step.B < 1) throw input_error("train", "--batch-size must be positive");
  if (step.T < 1 || step.T > settings.model.T) {
    throw input_error("train",
                      fmt::format("--seq-len {} is not in [1, {}]", step.T, settings.model.T),
                      "choose a shorter sequence, or a model with a larger T");
  }
}

void check_data(const TrainSettings& settings, const Dataset& dataset) {
  const int64_t T = settings.step.T;
  check_lengths(dataset, T);
  check_tokens(dataset.train, settings.model, T);
  if (dataset.val) check_tokens(*dataset.val, settings.model, T);
}

void check_ranks(const TrainSettings& settings) {
  const DistributionSettings& distribution = settings.step.distribution;
  if (!distribution.dedicated_server) return;
  if (workers_of(settings) < 1) {
    throw input_error("train", "--dedicated-server leaves no rank to compute",
                      "start at least two ranks");
  }
  if (strategy_traits(distribution.strategy).updaters != Updaters::kRank0) {
    throw input_error("train", "--dedicated-server is for --dist server");
  }
}

// An optimizer step is a whole number of micro-steps on each rank that computes.
void check_total_tokens(const TrainSettings& settings) {
  const int64_t total = settings.batches.total_tokens, workers = workers_of(settings);
  const int64_t least = settings.step.B * settings.step.T * workers;
  if (total == 0 || (total >= least && total % least == 0)) return;
  throw input_error("train",
                    fmt::format("--total-batch-tokens {} is not a multiple of batch-size x "
                                "seq-len x ranks = {} x {} x {} = {}",
                                total, settings.step.B, settings.step.T, workers, least),
                    fmt::format("use {}", round_up(std::max(total, least), least)));
}

}  // namespace

void check_settings(const TrainSettings& settings, const Dataset& dataset) {
  check_shape(settings);
  check_data(settings, dataset);
  check_ranks(settings);
  check_total_tokens(settings);
}

}  // namespace weft
