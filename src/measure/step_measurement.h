// measure_steps: the times of training steps, the times of their ops, and their efficiency.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "exec/executor.h"
#include "measure/step_profile.h"
#include "measure/timed_step.h"
#include "parallel/strategy.h"
#include "step/workload.h"
#include "timeline/efficiency.h"

namespace weft {

struct StepMeasurementSettings {
  ExecutorSettings executor;
  bool recompute_blocks = false;
  DistributionSettings distribution;
  int64_t steps = 10;
};

struct StepMeasurement {
  std::string executor;
  int ranks = 1;
  int threads = 1;  // of each rank
  int64_t recomputed_blocks = 0;
  size_t memory_bytes = 0;  // of a rank
  int64_t tokens = 0;       // of all ranks, as are the next two
  double peak = 0.;         // FLOP/s
  double loss = 0.;
  double model_flops_per_token = 0.;
  std::vector<double> seconds;          // by step, of the slowest rank
  std::vector<OpKindTime> kinds;        // of rank 0
  std::map<std::string, double> flops;  // of a step of a rank, by kind

  Efficiency efficiency;                 // on rank 0 alone
  std::optional<HardwareCounts> counts;  // of all ranks, per step
  std::string why_no_counts;

  double total_s() const { return std::accumulate(seconds.begin(), seconds.end(), 0.); }
  double thread_s() const { return total_s() * threads; }
  double busy_s() const {
    double sum = 0.;
    for (const OpKindTime& kind : kinds) sum += kind.seconds;
    return sum;
  }
  double idle() const { return 1. - busy_s() / thread_s(); }
  double steps() const { return static_cast<double>(seconds.size()); }

  // FLOP/s of the threads while they ran ops of this kind; 0 where the FLOPs are not known.
  double flops_per_s(const OpKindTime& kind) const {
    const auto known = flops.find(kind.kind);
    return known == flops.end() || kind.seconds == 0. ? 0. : known->second * steps() / kind.seconds;
  }
  double peak_share(const OpKindTime& kind) const {
    return flops_per_s(kind) / (peak / (ranks * threads));
  }
};

// Times steps of the workload on each rank, after two more that warm up. All ranks call it
// together. Calls on_step(t) on rank 0 after each of the timed steps 1, 2, .. Throws Error where
// there is no memory for the step.
StepMeasurement measure_steps(const Workload& workload, const StepMeasurementSettings& settings,
                              Communicator& communicator,
                              const std::function<void(int64_t t)>& on_step);

}  // namespace weft
