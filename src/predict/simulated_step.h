// SimulatedStep: the training step of one rank of a simulated run: its programs, the work of their
// ops, and the memory that it would take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/recording_communicator.h"
#include "parallel/strategy.h"
#include "predict/op_costs.h"
#include "step/training_step.h"
#include "step/workload.h"
#include "timeline/timeline.h"

namespace weft {

struct SimulatedProgram {
  TracedProgram program;
  std::vector<OpWork> work;                              // by op
  std::vector<std::vector<RecordedTransfer>> transfers;  // by op: the transfers that it begins
};

// Bytes of a rank.
struct RankMemory {
  size_t weights = 0, gradients = 0;
  size_t moments = 0;  // only those that this rank keeps
  size_t rest = 0;     // activations, their gradients, and buffers of transfers

  size_t all() const { return weights + gradients + moments + rest; }
};

// A step in the middle of a run: it begins with the update of the step before, and has one
// micro-batch.
class SimulatedStep {
 public:
  // Takes address space but next to no memory. Throws Error. REQUIRES: 0 <= rank < ranks.
  SimulatedStep(const Workload& workload, const DistributionSettings& distribution, int rank,
                int ranks);

  // In the order in which they run.
  const std::vector<SimulatedProgram>& programs() const { return programs_; }
  const RankMemory& memory() const { return memory_; }
  // The rank that updates the most weights, for which the others wait; the first of several.
  int busiest_rank() const { return busiest_rank_; }

 private:
  std::vector<SimulatedProgram> programs_;
  RankMemory memory_;
  int busiest_rank_ = 0;
};

}  // namespace weft
