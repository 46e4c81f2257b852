// The starting point of a run: its weights, moments and progress before its first step, equal on
// all ranks. They come from a checkpoint of this run, from given weights, or from the seed.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "comm/communicator.h"
#include "exec/executor.h"
#include "parallel/moment_transport.h"
#include "run/checkpoint.h"
#include "run/run_directory.h"
#include "run/run_state.h"
#include "run/train_settings.h"
#include "step/training_step.h"

namespace weft {

// On rank 0. Returns the checkpoint that the run continues from, if any; then `done` has its
// progress.
//   done: the identity of this run; steps: its length
// Throws Error (kInput): a checkpoint of another run or model, weights that do not fit.
std::optional<FoundCheckpoint> restore_or_initialize(
    const TrainSettings& settings, int64_t steps, RunDirectory& directory, const Executor& executor,
    const std::function<void(const std::string&)>& note, const TrainingState& state,
    RunState& done);

// A collective: gives all ranks the starting point of rank 0. resumed: counts on rank 0 only.
void share_starting_point(Communicator& communicator, bool resumed, const ParameterView& weights,
                          const MomentTransport& moments, RunState& done);

}  // namespace weft
