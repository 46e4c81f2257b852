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

// When others are ready for the transfers that this program begins `after_s` seconds after its
// step.
std::vector<double> readiness(const ProgramGraph& graph,
                              const std::map<std::string, double>& begun_s, double after_s) {
  std::vector<double> not_before(graph.size(), 0.);
  for (size_t i = 0; i < graph.size(); ++i) {
    if (graph.begins_transfer(i)) not_before[i] = begun_s.at(graph.op(i).name.text()) - after_s;
  }
  return not_before;
}

}  // namespace

// What a rank has to compute and to send with.
struct Predictor::Cores {
  const ThreadCosts& costs;
  SimulatedMachine machine;
  Network network;
};

// The programs of one rank's step, one after the other.
struct Predictor::Played {
  double seconds = 0., useful_s = 0.;
  std::map<std::string, double> begun_s;  // after the step's begin: transfers, by their first op
  double critical_path_s = 0.;
  std::map<std::string, double> critical_path_kinds;
  SimulatedOverlap overlap;
  double transferred_bytes = 0.;
  std::set<std::string> unmeasured_kinds;
  std::vector<SimulatedRun> runs;
};

// Programs are large: those of one strategy and number of ranks are kept, until others are asked
// for.
const ImaginedStep& Predictor::step_of(const std::string& dist, int rank, int ranks) {
  if (kept_of_ != std::tuple(dist, ranks)) kept_.clear();
  kept_of_ = {dist, ranks};
  std::unique_ptr<const ImaginedStep>& step = kept_[rank];
  if (!step) {
    DistributionSettings settings;
    settings.strategy = dist;
    settings.bucket_mb = training_.bucket_mb;
    settings.overlap = training_.overlap;
    step = std::make_unique<const ImaginedStep>(training_.model, settings, rank, ranks);
  }
  return *step;
}

Predictor::Cores Predictor::cores_of(const Scenario& scenario) const {
  const int rank_cores = scenario.cores / training_.ranks_per_node;
  require(rank_cores > 0, "every rank has a core");
  const ExecutorTraits& executor = executor_traits(scenario.exec);
  const int workers = executor.is_parallel() ? rank_cores : 1;
  Cores cores{costs_.for_cores(workers), {}, training_.network};
  const SchedulingCost& scheduling = cores.costs.executors.at(scenario.exec);
  cores.machine.scheduling = executor.scheduling;
  cores.machine.workers = workers;
  cores.machine.op_overhead_s = scheduling.op_s;
  cores.machine.barrier_s = training_.barrier_s.value_or(scheduling.barrier_s);
  if (training_.memory_bytes_per_s > 0.) {
    cores.machine.memory_bytes_per_s = training_.memory_bytes_per_s / training_.ranks_per_node;
  }
  cores.network.ranks = scenario.nodes * training_.ranks_per_node;
  return cores;
}

// To begin a transfer, or to wait for one, is next to no work. Bytes that come faster than memory
// could bring them come from a cache, and those do not count as memory's.
std::vector<OpCost> Predictor::costs_of(const ImaginedProgram& program, const Cores& cores,
                                        Played& played) const {
  std::vector<OpCost> costs(program.graph.size());
  for (size_t i = 0; i < costs.size(); ++i) {
    for (const RecordedTransfer& transfer : program.transfers[i]) {
      costs[i].transfer_s += transfer_seconds(transfer, cores.network);
      played.transferred_bytes += double(transfer.bytes);
    }
    if (program.graph.op(i).phase == Phase::kCommunication) continue;
    const OpWork& work = program.work[i];
    const OpSeconds seconds = seconds_of(work, cores.costs);
    if (!seconds.is_measured) played.unmeasured_kinds.insert(work.kind);
    costs[i].seconds = seconds.seconds;
    if (work.flops > 0.) continue;
    costs[i].memory_bytes =
        std::min(work.bytes, seconds.seconds * cores.costs.thread_bytes_per_s());
  }
  return costs;
}

Predictor::Played Predictor::play(const ImaginedStep& step, const Cores& cores,
                                  const Played* server) const {
  Played played;
  for (const ImaginedProgram& program : step.programs()) {
    const ProgramGraph& graph = program.graph;
    const std::vector<OpCost> costs = costs_of(program, cores, played);
    const std::vector<double> not_before = server != nullptr
                                               ? readiness(graph, server->begun_s, played.seconds)
                                               : std::vector<double>();
    SimulatedRun run = simulate(graph, costs, cores.machine, not_before);
    const LongestPath path = longest_path(graph, costs);
    const SimulatedOverlap overlap = overlap_of(run, graph, cores.machine.workers);
    for (const SimulatedTransfer& transfer : run.transfers) {
      played.begun_s[graph.op(transfer.op).name.text()] = played.seconds + transfer.begin_s;
    }
    for (const auto& [kind, seconds] : seconds_by_kind(path, graph, costs)) {
      played.critical_path_kinds[kind] += seconds;
    }
    played.critical_path_s += path.seconds;
    played.overlap.all_s += overlap.all_s;
    played.overlap.hidden_s += overlap.hidden_s;
    played.seconds += run.seconds;
    played.useful_s += run.useful_s;
    played.runs.push_back(std::move(run));
  }
  return played;
}

Prediction Predictor::predict(const Scenario& scenario, Timeline* timeline) {
  const Cores cores = cores_of(scenario);
  Prediction p;
  p.scenario = scenario;
  p.ranks = cores.network.ranks;
  p.cost_threads = cores.costs.threads;

  const auto played = [&](int rank, const Played* server) {
    const ImaginedStep& step = step_of(scenario.dist, rank, p.ranks);
    Played result = play(step, cores, server);
    if (timeline == nullptr) return result;
    RankTimeline of_rank{rank,
                         fmt::format("rank {} of {}, simulated", rank, p.ranks),
                         cores.machine.workers,
                         {},
                         {}};
    double after_s = 0.;
    for (size_t i = 0; i < result.runs.size(); ++i) {
      append_run(of_rank, step.programs()[i].graph, result.runs[i], after_s);
      after_s += result.runs[i].seconds;
    }
    timeline->ranks.push_back(std::move(of_rank));
    return result;
  };

  const int busiest = step_of(scenario.dist, 0, p.ranks).busiest_rank();
  const Played most = played(busiest, nullptr);
  p.step_s = most.seconds;
  double useful_s = most.useful_s;  // of a rank, on average
  if (p.ranks > 1 && strategy_traits(scenario.dist).updaters == Updaters::kRank0) {
    const Played other = played(1, &most);
    p.step_s = std::max(p.step_s, other.seconds);
    useful_s = (useful_s + (p.ranks - 1) * other.useful_s) / p.ranks;
    p.unmeasured_kinds = other.unmeasured_kinds;
  }
  const int rank_cores = scenario.cores / training_.ranks_per_node;
  p.efficiency = useful_s / (p.step_s * rank_cores);
  p.tokens_per_s = double(p.ranks) * double(training_.model.B * training_.model.T) / p.step_s;
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
