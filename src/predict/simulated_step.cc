#include "predict/simulated_step.h"

#include <algorithm>
#include <utility>

namespace weft {
namespace {

constexpr double kLearningRate = 1e-4;

StepSettings settings_of(const Workload& workload, const DistributionSettings& distribution,
                         Communicator& communicator) {
  StepSettings settings;
  settings.B = workload.B;
  settings.T = workload.T;
  settings.precision = workload.precision;
  settings.communicator = &communicator;
  settings.distribution = distribution;
  return settings;
}

// Runs the ops that begin transfers, which the communicator records. They touch no memory but the
// few bytes of the norm's partial sums.
std::vector<std::vector<RecordedTransfer>> transfers_of(const Program& program,
                                                        RecordingCommunicator& rank) {
  std::vector<std::vector<RecordedTransfer>> transfers(program.ops().size());
  for (size_t i = 0; i < transfers.size(); ++i) {
    const Op& op = program.ops()[i];
    if (op.phase != Phase::kCommunication || op.poll) continue;
    op.run(nullptr);
    transfers[i] = rank.take();
  }
  return transfers;
}

int busiest_of(const Distribution* distribution, const ParameterTable& table) {
  if (distribution == nullptr || distribution->shares().everyone_updates()) return 0;
  std::vector<int64_t> elements;
  for (const UpdateShares::Keepers& keepers :
       distribution->shares().keepers_of({0, table.buffer_size()})) {
    elements.resize(keepers.counts.size());
    for (size_t rank = 0; rank < elements.size(); ++rank) elements[rank] += keepers.counts[rank];
  }
  return int(std::ranges::max_element(elements) - elements.begin());
}

}  // namespace

SimulatedStep::SimulatedStep(const Workload& workload, const DistributionSettings& distribution,
                             int rank, int ranks) {
  RecordingCommunicator communicator(rank, ranks);
  const StepSettings settings = settings_of(workload, distribution, communicator);
  const TrainingState state(workload.config, *settings.optimizer, StateMemory::kSparse);
  TrainingStep step(state, settings);
  // The update of step 1 is due in step 2.
  for (const int64_t t : {1, 2}) step.set_step(t, kLearningRate);
  for (const Program* program : step.programs(0)) {
    programs_.push_back(
        {traced(*program), work_of(*program), transfers_of(*program, communicator)});
  }
  const Distribution* shared = step.distribution();
  const double state_share = shared != nullptr ? shared->shares().state_share() : 1.;
  memory_.weights = state.weights.data.size_bytes();
  memory_.gradients = state.dweights.data.size_bytes();
  memory_.moments = size_t(state_share * double(state.optimizer_state_bytes()));
  memory_.rest = step.memory_bytes();
  busiest_rank_ = busiest_of(shared, *state.table);
}

}  // namespace weft
