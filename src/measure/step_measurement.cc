#include "measure/step_measurement.h"

#include <algorithm>
#include <memory>

#include "measure/hardware_counters.h"
#include "measure/machine.h"
#include "model/model_flops.h"
#include "run/rank_timelines.h"
#include "timeline/recorder.h"

namespace weft {
namespace {

constexpr int kWarmUpSteps = 2;
constexpr int64_t kTracedSteps =
    50;  // the efficiency is computed of these; all their ops are recorded

// Notifies two observers; the second may be null.
class Both : public Observer {
 public:
  Both(Observer& first, Observer* second) : first_(first), second_(second) {}

  void op_started(size_t op, int worker) noexcept override {
    first_.op_started(op, worker);
    if (second_ != nullptr) second_->op_started(op, worker);
  }
  void op_ended(size_t op, int worker) noexcept override {
    if (second_ != nullptr) second_->op_ended(op, worker);
    first_.op_ended(op, worker);
  }

 private:
  Observer& first_;
  Observer* second_;
};

// Returns the counts of all ranks per step, if all ranks have counters.
std::optional<HardwareCounts> counts_per_step(const std::optional<HardwareCounts>& before,
                                              const std::optional<HardwareCounts>& after,
                                              int64_t steps, Communicator& communicator) {
  std::vector<double> counts = {double(before && after)}, sums = {0., 0.};
  communicator.all_reduce(counts, Reduction::kMin);
  if (before && after) {
    sums = {after->instructions - before->instructions, after->cycles - before->cycles};
  }
  communicator.all_reduce(sums, Reduction::kSum);
  if (counts[0] == 0.) return std::nullopt;
  return HardwareCounts{sums[0] / double(steps), sums[1] / double(steps)};
}

// Returns the efficiency of all ranks on rank 0, and an empty one on other ranks.
Efficiency efficiency_of(const Trace& trace, int threads, Communicator& communicator) {
  const Timeline timeline = gather_timelines(trace, threads, communicator);
  return communicator.rank() == 0 ? efficiency(timeline) : Efficiency{};
}

// Turns the measurement of each rank into that of all ranks.
void add_up(StepMeasurement& r, Communicator& communicator) {
  std::vector<double> sums = {double(r.tokens), r.peak, r.loss};
  communicator.all_reduce(sums, Reduction::kSum);
  r.tokens = int64_t(sums[0]);
  r.peak = sums[1];
  r.loss = sums[2];
  communicator.all_reduce(r.seconds, Reduction::kMax);
}

}  // namespace

StepMeasurement measure_steps(const Workload& workload, const StepMeasurementSettings& settings,
                              Communicator& communicator,
                              const std::function<void(int64_t t)>& on_step) {
  const HardwareCounters counters;  // before the threads start, so that it counts them
  const std::unique_ptr<Executor> executor = make_executor(settings.executor);
  TimedStep step(workload, *executor,
                 {settings.recompute_blocks, &communicator, settings.distribution});
  const std::unique_ptr<PreparedProgram> prepared = executor->prepare(step.program());
  for (int i = 0; i < kWarmUpSteps; ++i) step.run(*prepared);

  StepMeasurement r;
  r.executor = executor->name();
  r.ranks = communicator.size();
  r.threads = executor->threads();
  r.peak = measure_peak_flops(*executor, workload.precision);
  StepProfile profile(step.program());
  Trace trace;
  communicator.barrier();
  const std::optional<HardwareCounts> before = counters.read();
  for (int64_t i = 0; i < settings.steps; ++i) {
    Both observers(profile, i < kTracedSteps ? trace.begin_run(i + 1, step.program()) : nullptr);
    r.seconds.push_back(step.run(*prepared, &observers));
    if (communicator.rank() == 0) on_step(i + 1);
  }
  r.counts = counts_per_step(before, counters.read(), settings.steps, communicator);
  r.why_no_counts = counters.why_not();
  // The best of before and after, since other processes only ever slow the measurement down.
  r.peak = std::max(r.peak, measure_peak_flops(*executor, workload.precision));
  r.recomputed_blocks = step.recomputed_blocks();
  r.memory_bytes = step.memory_bytes();
  r.tokens = step.tokens();
  r.model_flops_per_token = flops_per_token(step.table(), workload.T);
  r.loss = step.loss();
  r.kinds = profile.kinds();
  r.flops = flops_by_kind(step.program());
  r.efficiency = efficiency_of(trace, r.threads, communicator);
  add_up(r, communicator);
  return r;
}

}  // namespace weft
