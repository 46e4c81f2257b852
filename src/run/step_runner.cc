#include "run/step_runner.h"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

StepRunner::StepRunner(TrainingStep& step, const Batches& batches, const RunPlan& plan,
                       const Executor& executor, StepTracer* tracer)
    : step_(step),
      batches_(batches),
      communicator_(*plan.step.communicator),
      workers_(plan.step.workers()),
      reproducible_(plan.step.distribution.reproducible),
      executor_(executor),
      tracer_(tracer) {
  for (int64_t k = 0; k < step.micro_steps(); ++k) {
    for (const Program* program : step.programs(k)) prepare(*program);
  }
  prepare(step.deferred_update());
}

void StepRunner::prepare(const Program& program) {
  for (const auto& [known, prepared] : prepared_) {
    if (known == &program) return;
  }
  prepared_.emplace_back(&program, executor_.prepare(program));
}

StepResult StepRunner::run(int64_t t, double lr, const std::atomic<int>& stop) {
  const Clock::time_point start = Clock::now();
  step_.set_step(t, lr);
  const Range mine = workers_.micro_batches_of(communicator_.rank());
  std::vector<double> losses(size_t(workers_.micro_batches()), 0.);
  for (int64_t k = 0; k < step_.micro_steps(); ++k) {
    run_micro_step(t, k);
    // The step adds up the losses of all its micro-steps unless it is reproducible.
    const int64_t place = reproducible_ ? k : 0;
    if (mine.size() > 0) losses[size_t(mine.begin + place)] = step_.loss();
  }
  StepResult result;
  agree(std::move(losses), stop.load(), result);
  result.grad_norm = step_.grad_norm();
  result.seconds = seconds_since(start);
  return result;
}

void StepRunner::run_micro_step(int64_t t, int64_t k) {
  const Range mine = workers_.micro_batches_of(communicator_.rank());
  if (mine.size() > 0) batches_.fill(t - 1, mine.begin + k, step_.inputs(), step_.targets());
  for (const Program* program : step_.programs(k)) run_program(*program, t);
}

// Each number is one rank's and zero on the others, so their sum over the ranks is exact.
void StepRunner::agree(std::vector<double> losses, int stop, StepResult& result) {
  const size_t micro_batches = losses.size();
  losses.resize(micro_batches + size_t(communicator_.size()), 0.);
  losses[micro_batches + size_t(communicator_.rank())] = stop != 0 ? 1. : 0.;
  if (communicator_.size() > 1) communicator_.all_reduce(losses, Reduction::kSum);
  const auto stops = losses.begin() + std::ptrdiff_t(micro_batches);
  result.loss = std::accumulate(losses.begin(), stops, 0.);
  result.stop_requested = std::any_of(stops, losses.end(), [](double s) { return s != 0.; });
}

void StepRunner::finish_update(int64_t t) {
  if (!step_.begin_deferred_update()) return;
  const Clock::time_point start = Clock::now();
  run_program(step_.deferred_update(), t);
  update_s_ += seconds_since(start);
}

void StepRunner::run_program(const Program& program, int64_t t) {
  Observer* observer = tracer_ != nullptr ? tracer_->program_starts(t, program) : nullptr;
  if (step_.distribution() != nullptr) observer = busy_.watch(program, observer);
  for (const auto& [known, prepared] : prepared_) {
    if (known == &program) prepared->run(observer);
  }
}

std::optional<CommunicationReport> StepRunner::take_communication() {
  if (step_.distribution() == nullptr) return std::nullopt;
  const CommunicationMeter::Record record = step_.distribution()->meter().take();
  const Overlap overlap = busy_.overlap_with(record.transfers, executor_.threads());
  busy_.clear();
  return CommunicationReport{.bytes_sent = record.bytes_sent,
                             .comm_ms = overlap.all_ms,
                             .hidden_comm_ms = overlap.hidden_ms};
}

}  // namespace weft
