// Prediction: how long a step takes on a machine that need not exist.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "app/commands/bench/bench_options.h"
#include "comm/transfer_times.h"
#include "predict/imagined_step.h"
#include "predict/op_costs.h"
#include "predict/simulate.h"
#include "timeline/timeline.h"

namespace weft {

// What one prediction is of.
struct Scenario {
  int nodes = 1, cores = 1;  // of a node
  std::string dist, exec;
};

// What all of them share.
struct SimulatedTraining {
  BenchModel model;
  int ranks_per_node = 1;
  double bucket_mb = 25.;
  bool overlap = true;
  Network network;                       // but for its ranks
  double memory_bytes_per_s = 0.;        // of a node; 0: without limit
  std::optional<double> barrier_s = {};  // instead of the measured one
};

struct Prediction {
  Scenario scenario;
  int ranks = 1;
  int cost_threads = 1;  // with which the costs were measured that it is made of
  double step_s = 0.;
  double tokens_per_s = 0.;  // of all ranks
  double efficiency = 0.;    // share of the time of a rank's cores that is spent in ops

  // Of the rank with the most to do.
  double critical_path_s = 0.;
  std::map<std::string, double> critical_path_kinds;  // seconds
  double communication_s = 0., hidden_s = 0.;         // the link was busy; workers meanwhile, too
  double transferred_bytes = 0.;                      // buffers of its transfers
  RankMemory memory;

  std::set<std::string> unmeasured_kinds;
};

// Keeps the programs that several predictions share.
class Predictor {
 public:
  // REQUIRES: both outlive this.
  Predictor(const SimulatedTraining& training, const OpCosts& costs)
      : training_(training), costs_(costs) {}

  // Plays the step of the rank with the most to do. Where rank 0 updates for all, then that of
  // another rank, too, whose transfers wait for rank 0's. timeline: where they go, or null.
  // Throws Error. REQUIRES: each rank has a core.
  Prediction predict(const Scenario& scenario, Timeline* timeline = nullptr);

 private:
  struct Cores;
  struct Played;

  const ImaginedStep& step_of(const std::string& dist, int rank, int ranks);
  Cores cores_of(const Scenario& scenario) const;
  std::vector<OpCost> costs_of(const ImaginedProgram& program, const Cores& cores,
                               Played& played) const;
  Played play(const ImaginedStep& step, const Cores& cores, const Played* server) const;

  const SimulatedTraining& training_;
  const OpCosts& costs_;
  std::tuple<std::string, int> kept_of_;                     // strategy and ranks
  std::map<int, std::unique_ptr<const ImaginedStep>> kept_;  // by rank
};

}  // namespace weft
