// RunPlan: the numbers of a run that follow from its settings, its data and the number of its
// ranks.
#pragma once

#include <cstdint>

#include "data/batches.h"
#include "run/dataset.h"
#include "run/schedule.h"
#include "run/train_settings.h"
#include "step/training_step.h"

namespace weft {

struct RunPlan {
  StepSettings step;  // with its number of micro-steps
  int64_t tokens_per_step = 0;
  Schedule schedule;  // with its length
  BatchPlan batches;  // of all ranks together
};

// The number of ranks that train() has; one without a communicator.
int ranks_of(const TrainSettings& settings);
// Those of them that compute batches: all but a dedicated server.
int64_t workers_of(const TrainSettings& settings);

// REQUIRES: check_settings accepts the settings.
RunPlan plan_run(const TrainSettings& settings, const Dataset& dataset);

}  // namespace weft
