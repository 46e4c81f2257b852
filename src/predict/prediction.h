// Prediction: the step time of a training run on a machine that is described, not present.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "comm/transfer_times.h"
#include "predict/op_costs.h"
#include "predict/simulate.h"
#include "predict/simulated_step.h"
#include "step/workload.h"
#include "timeline/timeline.h"

namespace weft {

// The settings that vary between predictions.
struct Scenario {
  int nodes = 1;
  int cores = 1;           // of a node
  std::string dist, exec;  // as in --dist and --exec
};

// The settings that all predictions share.
struct SimulatedTraining {
  Workload workload;
  int ranks_per_node = 1;
  double bucket_mb = 25.;
  bool overlap = true;
  Network network;                       // `ranks` is ignored
  double memory_bytes_per_s = 0.;        // of a node; 0: unlimited
  std::optional<double> barrier_s = {};  // replaces the measured one
};

struct Prediction {
  Scenario scenario;
  int ranks = 1;
  int cost_threads = 1;  // the number of threads with which its op costs were measured
  double step_s = 0.;
  double tokens_per_s = 0.;  // of all ranks
  double efficiency = 0.;    // share of the time of a rank's cores that is spent in ops

  // The rest is about the busiest rank.
  double critical_path_s = 0.;                        // its longest path (longest_path.h)
  std::map<std::string, double> critical_path_kinds;  // seconds
  double communication_s = 0.;                        // time in which its link was busy
  double hidden_s = 0.;                               // the part of it that workers spent in ops
  double transferred_bytes = 0.;                      // of the buffers of its transfers
  RankMemory memory;

  std::set<std::string> unmeasured_kinds;
};

// Keeps programs that several predictions share.
class Predictor {
 public:
  // REQUIRES: both arguments outlive this.
  Predictor(const SimulatedTraining& training, const OpCosts& costs)
      : training_(training), costs_(costs) {}

  // Simulates the step of the busiest rank and, where rank 0 updates the weights of all, that of
  // another rank, whose transfers wait for rank 0's. Appends the simulated ranks to the timeline,
  // unless it is null. Throws Error. REQUIRES: each rank has a core.
  Prediction predict(const Scenario& scenario, Timeline* timeline = nullptr);

 private:
  struct Rank;
  struct StepResult;

  const SimulatedStep& step_of(const std::string& dist, int rank, int ranks);
  Rank rank_of(const Scenario& scenario) const;
  std::vector<OpCost> costs_of(const SimulatedProgram& program, const Rank& rank,
                               StepResult& result) const;
  StepResult run(const SimulatedStep& step, const Rank& rank, const StepResult* server) const;

  const SimulatedTraining& training_;
  const OpCosts& costs_;
  std::tuple<std::string, int> kept_for_;                     // strategy and number of ranks
  std::map<int, std::unique_ptr<const SimulatedStep>> kept_;  // by rank
};

}  // namespace weft
