#include "measure/bench_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "app/cli/precision_flag.h"
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

void check_memory(size_t bytes, const BenchModel& model, const char* hint) {
  require_memory(bytes, fmt::format("a step of {}", to_string(model.config)), hint);
}

// Checks the memory of the state before any of it is taken.
Config checked(const BenchModel& model) {
  check_memory(TrainingState::bytes(model.config, *default_optimizer()), model, kSmallerHint);
  return model.config;
}

}  // namespace

BenchStep::BenchStep(const BenchModel& model, const Executor& executor,
                     const BenchStepSettings& settings)
    : state_(checked(model)) {
  const Clock::time_point start = Clock::now();
  StepSettings step;
  step.B = model.B;
  step.T = model.T;
  step.precision = parse_precision("bench", model.precision);
  step.recompute_blocks = settings.recompute_blocks;
  step.communicator = settings.communicator;
  step.distribution = settings.distribution;
  step_ = std::make_unique<TrainingStep>(state_, step);
  build_seconds_ = seconds_since(start);
  check_memory(memory_bytes(), model, settings.recompute_blocks ? kSmallerHint : kRecomputeHint);
  initialize(state_.weights, kSeed, executor);

  // Target i is input i + 1, as in a text; each rank has a piece of it.
  const auto rank = size_t(settings.communicator != nullptr ? settings.communicator->rank() : 0);
  const size_t first = rank * step_->inputs().size();
  const auto token = [&](size_t i) {
    return static_cast<int32_t>(random_u64(kSeed, kTokenStream, first + i) %
                                uint64_t(model.config.V));
  };
  for (size_t i = 0; i < step_->inputs().size(); ++i) {
    step_->inputs()[i] = token(i);
    step_->targets()[i] = token(i + 1);
  }
}

double BenchStep::run(PreparedProgram& prepared, Observer* observer) {
  const Clock::time_point start = Clock::now();
  step_->set_step(++t_, kLearningRate);
  prepared.run(observer);
  return seconds_since(start);
}

TimeSpread spread_of(std::vector<double> seconds) {
  require(!seconds.empty(), "there are times");
  std::ranges::sort(seconds);
  const size_t n = seconds.size();
  const double median = (seconds[(n - 1) / 2] + seconds[n / 2]) / 2.;
  return {seconds.front(), median, seconds.back()};
}

}  // namespace weft
