// TimedStep: a training step on random tokens, for measurements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "exec/executor.h"
#include "parallel/strategy.h"
#include "step/training_step.h"
#include "step/workload.h"

namespace weft {

struct TimedStepSettings {
  bool recompute_blocks = false;
  Communicator* communicator = nullptr;  // each rank has a batch of its own; null: one rank
  DistributionSettings distribution = {};
};

class TimedStep {
 public:
  // Builds the program of a step and draws the weights, on the executor's threads. Throws Error
  // where there is no memory for it.
  // REQUIRES: communication overlaps; the communicator outlives this.
  TimedStep(const Workload& workload, const Executor& executor,
            const TimedStepSettings& settings = {});

  // Returns the program of a whole step of this rank.
  const Program& program() const { return step_->program(0); }
  const ParameterTable& table() const { return *state_.table; }
  int64_t recomputed_blocks() const { return step_->recomputed_blocks(); }
  size_t memory_bytes() const { return state_.arena->bytes() + step_->memory_bytes(); }
  double build_seconds() const { return build_seconds_; }
  // The tokens of this rank, and its share of the mean loss over those of all ranks.
  int64_t tokens() const { return static_cast<int64_t>(step_->inputs().size()); }
  double loss() const { return step_->loss(); }

  // Runs one step with its update and returns its seconds. All steps train on the same batch.
  double run(PreparedProgram& prepared, Observer* observer = nullptr);

 private:
  TrainingState state_;
  std::unique_ptr<TrainingStep> step_;
  double build_seconds_ = 0.;
  int64_t t_ = 0;
};

}  // namespace weft
