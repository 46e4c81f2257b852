#include "predict/prediction.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "parallel/strategy.h"
#include "predict/longest_path.h"

namespace weft {
namespace {

// By op, when the other ranks are ready for the transfer that it begins: as late as the server
// began its own. begun_s: seconds from the begin of the step; the program begins after_s later.
std::vector<double> readiness(const TracedProgram& program,
                              const std::map<std::string, double>& begun_s, double after_s) {
  std::vector<double> not_before(program.ops.size(), 0.);
  for (const TracedOp& op : program.ops) {
    if (op.begun_by == TracedOp::kNone) continue;
    not_before[op.begun_by] = begun_s.at(program.ops[op.begun_by].name.text()) - after_s;
  }
  return not_before;
}

}  // namespace

// The resources of a rank.
struct Predictor::Rank {
  const ThreadCosts& costs;
  SimulatedMachine machine;
  Network network;
};

// The simulated step of one rank: its programs, one after the other.
struct Predictor::StepResult {
  double seconds = 0., useful_s = 0.;
  std::map<std::string, double> begun_s;  // when each transfer begins, by the op that begins it
  double critical_path_s = 0.;
  std::map<std::string, double> critical_path_kinds;
  SimulatedOverlap overlap;
  double transferred_bytes = 0.;
  std::set<std::string> unmeasured_kinds;
  std::vector<SimulatedRun> runs;
};

// Programs are large: only those of one strategy and number of ranks are kept at a time.
const SimulatedStep& Predictor::step_of(const std::string& dist, int rank, int ranks) {
  if (kept_for_ != std::tuple(dist, ranks)) kept_.clear();
  kept_for_ = {dist, ranks};
  std::unique_ptr<const SimulatedStep>& step = kept_[rank];
  if (!step) {
    DistributionSettings settings;
    settings.strategy = dist;
    settings.bucket_mb = training_.bucket_mb;
    settings.overlap = training_.overlap;
    step = std::make_unique<const SimulatedStep>(training_.workload, settings, rank, ranks);
  }
  return *step;
}

Predictor::Rank Predictor::rank_of(const Scenario& scenario) const {
  const int rank_cores = scenario.cores / training_.ranks_per_node;
  require(rank_cores > 0, "every rank has a core");
  const ExecutorTraits& executor = executor_traits(scenario.exec);
  const int workers = executor.is_parallel() ? rank_cores : 1;
  Rank rank{costs_.for_cores(workers), {}, training_.network};
  const SchedulingCost& scheduling = rank.costs.executors.at(scenario.exec);
  rank.machine.scheduling = executor.scheduling;
  rank.machine.workers = workers;
  rank.machine.op_overhead_s = scheduling.op_s;
  rank.machine.barrier_s = training_.barrier_s.value_or(scheduling.barrier_s);
  if (training_.memory_bytes_per_s > 0.) {
    rank.machine.memory_bytes_per_s = training_.memory_bytes_per_s / training_.ranks_per_node;
  }
  rank.network.ranks = scenario.nodes * training_.ranks_per_node;
  return rank;
}

// Ops that begin a transfer or wait for one cost nothing themselves. An op that is faster than
// memory could bring its bytes has them in a cache, so only as many as memory could bring count.
std::vector<OpCost> Predictor::costs_of(const SimulatedProgram& program, const Rank& rank,
                                        StepResult& result) const {
  std::vector<OpCost> costs(program.program.ops.size());
  for (size_t i = 0; i < costs.size(); ++i) {
    for (const RecordedTransfer& transfer : program.transfers[i]) {
      costs[i].transfer_s += transfer_seconds(transfer, rank.network);
      result.transferred_bytes += double(transfer.bytes);
    }
    if (program.program.ops[i].phase == Phase::kCommunication) continue;
    const OpWork& work = program.work[i];
    const OpSeconds seconds = seconds_of(work, rank.costs);
    if (!seconds.is_measured) result.unmeasured_kinds.insert(work.kind);
    costs[i].seconds = seconds.seconds;
    if (work.flops > 0.) continue;
    costs[i].memory_bytes = std::min(work.bytes, seconds.seconds * rank.costs.thread_bytes_per_s());
  }
  return costs;
}

// server: the result of the rank whose transfers this rank's wait for, or null.
Predictor::StepResult Predictor::run(const SimulatedStep& step, const Rank& rank,
                                     const StepResult* server) const {
  StepResult result;
  for (const SimulatedProgram& simulated : step.programs()) {
    const TracedProgram& program = simulated.program;
    const std::vector<OpCost> costs = costs_of(simulated, rank, result);
    const std::vector<double> not_before = server != nullptr
                                               ? readiness(program, server->begun_s, result.seconds)
                                               : std::vector<double>();
    SimulatedRun run = simulate(program, costs, rank.machine, not_before);
    const LongestPath path = longest_path(program, costs);
    const SimulatedOverlap overlap = overlap_of(run, program, rank.machine.workers);
    for (const SimulatedTransfer& transfer : run.transfers) {
      result.begun_s[program.ops[transfer.op].name.text()] = result.seconds + transfer.begin_s;
    }
    for (const auto& [kind, seconds] : seconds_by_kind(path, program, costs)) {
      result.critical_path_kinds[kind] += seconds;
    }
    result.critical_path_s += path.seconds;
    result.overlap.all_s += overlap.all_s;
    result.overlap.hidden_s += overlap.hidden_s;
    result.seconds += run.seconds;
    result.useful_s += run.useful_s;
    result.runs.push_back(std::move(run));
  }
  return result;
}

Prediction Predictor::predict(const Scenario& scenario, Timeline* timeline) {
  const Rank resources = rank_of(scenario);
  Prediction p;
  p.scenario = scenario;
  p.ranks = resources.network.ranks;
  p.cost_threads = resources.costs.threads;

  const auto simulated = [&](int rank, const StepResult* server) {
    const SimulatedStep& step = step_of(scenario.dist, rank, p.ranks);
    StepResult result = run(step, resources, server);
    if (timeline == nullptr) return result;
    RankTimeline& added = timeline->ranks.emplace_back();
    added.rank = rank;
    added.name = fmt::format("rank {} of {}, simulated", rank, p.ranks);
    added.workers = resources.machine.workers;
    double after_s = 0.;
    for (size_t i = 0; i < result.runs.size(); ++i) {
      append_run(added, step.programs()[i].program, result.runs[i], after_s);
      after_s += result.runs[i].seconds;
    }
    return result;
  };

  const int busiest = step_of(scenario.dist, 0, p.ranks).busiest_rank();
  const StepResult most = simulated(busiest, nullptr);
  p.step_s = most.seconds;
  double useful_s = most.useful_s;  // mean of all ranks
  if (p.ranks > 1 && strategy_traits(scenario.dist).updaters == Updaters::kRank0) {
    const StepResult other = simulated(1, &most);
    p.step_s = std::max(p.step_s, other.seconds);
    useful_s = (useful_s + (p.ranks - 1) * other.useful_s) / p.ranks;
    p.unmeasured_kinds = other.unmeasured_kinds;
  }
  const int rank_cores = scenario.cores / training_.ranks_per_node;
  p.efficiency = useful_s / (p.step_s * rank_cores);
  p.tokens_per_s = double(p.ranks) * double(training_.workload.B * training_.workload.T) / p.step_s;
  p.critical_path_s = most.critical_path_s;
  p.critical_path_kinds = most.critical_path_kinds;
  p.communication_s = most.overlap.all_s;
  p.hidden_s = most.overlap.hidden_s;
  p.transferred_bytes = most.transferred_bytes;
  p.unmeasured_kinds.insert(most.unmeasured_kinds.begin(), most.unmeasured_kinds.end());
  p.memory = step_of(scenario.dist, busiest, p.ranks).memory();
  return p;
}

}  // namespace weft
