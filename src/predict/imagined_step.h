// ImaginedStep: the training step of one rank of a run that does not happen: its programs, what
// their ops have to do, and the memory that it would take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "app/commands/bench/bench_options.h"
#include "comm/recording_communicator.h"
#include "parallel/strategy.h"
#include "predict/op_costs.h"
#include "step/training_step.h"
#include "timeline/program_graph.h"

namespace weft {

// One program of a step, in the order in which they run.
struct ImaginedProgram {
  ProgramGraph graph;
  std::vector<OpWork> work;                              // by op
  std::vector<std::vector<RecordedTransfer>> transfers;  // by op: those that it begins
};

// Bytes of a rank.
struct RankMemory {
  size_t weights = 0, gradients = 0;
  size_t moments = 0;  // those that it keeps
  size_t rest = 0;     // activations, their gradients, and buffers of transfers

  size_t all() const { return weights + gradients + moments + rest; }
};

// The step is one of many: it begins with the update of the step before. One micro-batch a step.
class ImaginedStep {
 public:
  // REQUIRES: 0 <= rank < ranks. Takes address space, and next to no memory. Throws Error.
  ImaginedStep(const BenchModel& model, const DistributionSettings& distribution, int rank,
               int ranks);

  const std::vector<ImaginedProgram>& programs() const { return programs_; }
  const RankMemory& memory() const { return memory_; }
  // The rank that updates the most weights, the first of several: the others wait for it.
  int busiest_rank() const { return busiest_rank_; }

 private:
  std::vector<ImaginedProgram> programs_;
  RankMemory memory_;
  int busiest_rank_ = 0;
};

}  // namespace weft
