// The identity of a run: what must be equal on all its ranks, and what a run that resumes another
// must share with it.
#pragma once

#include "comm/agreement.h"
#include "run/dataset.h"
#include "run/run_plan.h"
#include "run/run_state.h"
#include "run/train_settings.h"

namespace weft {

// What all ranks must agree on before they exchange anything.
Facts facts_of_run(const TrainSettings& settings, const Dataset& dataset);

// The state of a run before its first step. Its texts are stored in checkpoints and compared when a
// run resumes, so a change of their wording is a change of the format.
RunState run_identity(const TrainSettings& settings, const RunPlan& plan, const Dataset& dataset);

}  // namespace weft
