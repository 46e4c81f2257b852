// train(): a whole training run: data, schedule, steps, validation, samples, checkpoints, resume,
// stop.
#pragma once

#include <atomic>

#include "base/file_system.h"
#include "exec/executor.h"
#include "run/dataset.h"
#include "run/train_listener.h"
#include "run/train_settings.h"

namespace weft {

enum class TrainOutcome { kFinished, kStopped };

// Runs to the end, or until *stop is not 0 on any rank: then it finishes the step in progress,
// writes a checkpoint and returns kStopped. All ranks call it with the same settings; rank 0 alone
// writes, and its listener alone is told of progress. Where a disk refuses a log line or a
// checkpoint before the last one, the run notes it and goes on. Throws Error: settings that do not
// fit together (kInput, before anything is written), a checkpoint that does not fit, a loss or
// gradient that is not finite, a last checkpoint that cannot be written.
TrainOutcome train(const TrainSettings& settings, const Dataset& dataset, const Executor& executor,
                   TrainListener& listener, const std::atomic<int>& stop,
                   StepTracer* tracer = nullptr, FileSystem& files = disk());

}  // namespace weft
