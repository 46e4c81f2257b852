#include "measure/op_cost_measurement.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <tuple>

#include "base/now_ns.h"
#include "measure/machine.h"
#include "measure/memory_bandwidth.h"
#include "measure/scheduling_overhead.h"
#include "measure/timed_step.h"

namespace weft {
namespace {

constexpr int kWarmUpSteps = 2;
constexpr int64_t kFewLayers = 2;
constexpr size_t kSyntheticOps = 2000;

// Records how long each op of a run takes, each op at its own index.
class OpTimes : public Observer {
 public:
  explicit OpTimes(size_t ops) : ns_(ops) {}

  void op_started(size_t op, int) noexcept override { ns_[op] = -now_ns(); }
  void op_ended(size_t op, int) noexcept override { ns_[op] += now_ns(); }

  const std::vector<int64_t>& ns() const { return ns_; }

 private:
  std::vector<int64_t> ns_;
};

struct WatchedStep {
  double seconds = 0.;
  std::vector<int64_t> ns;  // by op
};

// Leaves out the fastest and the slowest quarter.
std::vector<WatchedStep> middle_half(std::vector<WatchedStep> steps) {
  std::ranges::sort(steps, {}, &WatchedStep::seconds);
  const auto quarter = int64_t(steps.size() / 4);
  return {std::make_move_iterator(steps.begin() + quarter),
          std::make_move_iterator(steps.end() - quarter)};
}

double mean_seconds(const std::vector<WatchedStep>& steps) {
  double sum = 0.;
  for (const WatchedStep& step : steps) sum += step.seconds;
  return sum / double(steps.size());
}

std::vector<KindCost> costs_by_work(const std::vector<OpWork>& work,
                                    const std::vector<WatchedStep>& steps) {
  std::map<std::tuple<std::string, double, double>, KindCost> costs;
  for (size_t op = 0; op < work.size(); ++op) {
    KindCost& cost = costs[{work[op].kind, work[op].flops, work[op].bytes}];
    cost.work = work[op];
    ++cost.ops;
    for (const WatchedStep& step : steps) {
      cost.seconds += 1e-9 * double(step.ns[op]) / double(steps.size());
    }
  }
  std::vector<KindCost> kinds;
  for (auto& [key, cost] : costs) {
    // The shortest ops may end before the clock advances.
    cost.seconds = std::max(1e-9, cost.seconds / double(cost.ops));
    kinds.push_back(std::move(cost));
  }
  return kinds;
}

// Measures programs whose ops do nothing: independent ops, a chain, and the step's own graph.
std::map<std::string, SchedulingCost> scheduling_costs(const Program& step, int threads) {
  const SyntheticProgram independent(kSyntheticOps, SyntheticProgram::Order::kIndependent);
  const SyntheticProgram chain(kSyntheticOps, SyntheticProgram::Order::kChain);
  const Program empty = emptied(step);
  const auto seconds_per_op = [&](const char* executor, const Program& program) {
    const Overhead overhead = measure_overhead(*make_executor(executor, threads), program);
    return overhead.run_s.median / double(program.ops().size());
  };
  const auto cost_of = [&](const ExecutorTraits& executor) -> SchedulingCost {
    switch (executor.scheduling) {
      case Scheduling::kListOrder:
        return {.op_s = seconds_per_op(executor.name, empty)};
      case Scheduling::kForkJoin: {
        // Every op of a chain is a parallel loop of its own, and costs a barrier.
        const double loop_s = seconds_per_op(executor.name, independent.program()) * threads;
        const double join_s = seconds_per_op(executor.name, chain.program());
        return {.op_s = loop_s, .barrier_s = std::max(0., join_s - loop_s)};
      }
      case Scheduling::kDataflow:
        return {.op_s = seconds_per_op(executor.name, chain.program())};
    }
    return {};
  };
  std::map<std::string, SchedulingCost> costs;
  for (const ExecutorTraits& executor : executors()) {
    if (executor.is_simulated) costs[executor.name] = cost_of(executor);
  }
  return costs;
}

double memory_bandwidth(const Executor& executor) {
  const size_t bytes = streamed_bytes(this_machine(), executor.threads());
  // Where memory is short, the bandwidth of the caches is better than none.
  constexpr size_t kLittle = size_t{1} << 20;
  return measure_bandwidth(executor, Traffic::kUpdate, std::max(bytes, kLittle));
}

// An executor, and the steps that it was timed with.
struct Timed {
  std::string name;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<PreparedProgram> prepared;
  std::vector<WatchedStep> steps = {};
};

constexpr const char* kWatched = "tasks";

// Returns the executor whose ops are observed and, with `compares`, the other simulated executors
// that can use so many threads.
std::vector<Timed> to_be_timed(const Program& program, int threads, bool compares) {
  std::vector<Timed> all;
  const auto add = [&](const std::string& name) {
    std::unique_ptr<Executor> executor = make_executor(name, threads);
    std::unique_ptr<PreparedProgram> prepared = executor->prepare(program);
    all.push_back({name, std::move(executor), std::move(prepared)});
  };
  add(kWatched);
  for (const std::string& name : simulated_executor_names()) {
    const bool has_use = threads == 1 || executor_traits(name).is_parallel();
    if (compares && name != kWatched && has_use) add(name);
  }
  return all;
}

ThreadCosts measure(const Workload& workload, int threads, const CostSettings& settings,
                    const std::function<void(const std::string&)>& progress) {
  const auto says = [&](const std::string& what) {
    progress(fmt::format("costs on {} threads: {}", threads, what));
  };
  says("weights");
  const std::unique_ptr<Executor> executor = make_executor(kWatched, threads);
  ThreadCosts costs;
  costs.threads = threads;
  TimedStep step(workload, *executor);
  std::vector<Timed> timed = to_be_timed(step.program(), threads, settings.compares);
  OpTimes times(step.program().ops().size());
  for (int64_t i = -kWarmUpSteps; i < settings.steps; ++i) {
    says(i < 0 ? "warm-up" : fmt::format("step {} of {}", i + 1, settings.steps));
    for (Timed& t : timed) {
      const bool is_watched = &t == &timed.front();
      const double seconds = step.run(*t.prepared, is_watched ? &times : nullptr);
      if (i >= 0) {
        t.steps.push_back({seconds, is_watched ? times.ns() : std::vector<int64_t>()});
      }
    }
  }
  says("scheduling");
  costs.executors = scheduling_costs(step.program(), threads);
  for (Timed& t : timed) {
    t.steps = middle_half(std::move(t.steps));
    costs.executors[t.name].step_s = mean_seconds(t.steps);
  }
  costs.kinds = costs_by_work(work_of(step.program()), timed.front().steps);
  says("peak and memory");
  costs.peak_flops = measure_peak_flops(*executor, workload.precision);
  costs.memory_bytes_per_s = memory_bandwidth(*executor);
  return costs;
}

}  // namespace

OpCosts measure_costs(const Workload& workload, const CostSettings& settings,
                      const std::function<void(const std::string&)>& progress) {
  OpCosts costs = {version(),
                   git_commit(),
                   cpu_name(),
                   to_string(workload.config),
                   precision_name(workload.precision),
                   workload.B,
                   workload.T,
                   {}};
  for (const int threads : settings.thread_counts) {
    costs.runs.push_back(measure(workload, threads, settings, progress));
  }
  return costs;
}

Workload with_few_layers(Workload workload) {
  workload.config.L = std::min(workload.config.L, kFewLayers);
  return workload;
}

}  // namespace weft
