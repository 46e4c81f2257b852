#include "measure/timed_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/memory.h"
#include "base/rng.h"
#include "run/initialize.h"
#include "run/memory_estimate.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kSeed = 42;
constexpr uint64_t kTokenStream = 1;
constexpr double kLearningRate = 1e-4;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void check_memory(size_t bytes, const Workload& workload, const char* hint) {
  require_memory(bytes, fmt::format("a step of {}", to_string(workload.config)), hint);
}

// Checks that there is memory for the state before any of it is allocated.
Config checked(const Workload& workload) {
  check_memory(TrainingState::bytes(workload.config, *default_optimizer()), workload, kSmallerHint);
  return workload.config;
}

}  // namespace

TimedStep::TimedStep(const Workload& workload, const Executor& executor,
                     const TimedStepSettings& settings)
    : state_(checked(workload)) {
  const Clock::time_point start = Clock::now();
  StepSettings step;
  step.B = workload.B;
  step.T = workload.T;
  step.precision = workload.precision;
  step.recompute_blocks = settings.recompute_blocks;
  step.communicator = settings.communicator;
  step.distribution = settings.distribution;
  step_ = std::make_unique<TrainingStep>(state_, step);
  build_seconds_ = seconds_since(start);
  check_memory(memory_bytes(), workload, settings.recompute_blocks ? kSmallerHint : kRecomputeHint);
  initialize(state_.weights, kSeed, executor);

  // Target i is input i + 1, as in a text of which each rank has a part.
  const auto rank = size_t(settings.communicator != nullptr ? settings.communicator->rank() : 0);
  const size_t first = rank * step_->inputs().size();
  const auto token = [&](size_t i) {
    return static_cast<int32_t>(random_u64(kSeed, kTokenStream, first + i) %
                                uint64_t(workload.config.V));
  };
  for (size_t i = 0; i < step_->inputs().size(); ++i) {
    step_->inputs()[i] = token(i);
    step_->targets()[i] = token(i + 1);
  }
}

double TimedStep::run(PreparedProgram& prepared, Observer* observer) {
  const Clock::time_point start = Clock::now();
  step_->set_step(++t_, kLearningRate);
  prepared.run(observer);
  return seconds_since(start);
}

}  // namespace weft
