#include "run/starting_point.h"

#include <fmt/format.h>

#include <vector>

#include "infer/model.h"
#include "run/initialize.h"
#include "run/resume_check.h"

namespace weft {

std::optional<FoundCheckpoint> restore_or_initialize(
    const TrainSettings& settings, int64_t steps, RunDirectory& directory, const Executor& executor,
    const std::function<void(const std::string&)>& note, const TrainingState& state,
    RunState& done) {
  directory.claim();
  std::optional<FoundCheckpoint> found = directory.checkpoint_to_resume();
  if (found) {
    check_continues(found->state, done, steps, note);
    read_checkpoint(*found, state);
    done.step = found->state.step;
    done.tokens = found->state.tokens;
    done.elapsed_s = found->state.elapsed_s;
    note(fmt::format("resumed from {}", found->path.string()));
  } else if (!settings.init.empty()) {
    const NonFiniteWeights broken = Model(settings.init).read_weights(state.weights);
    if (broken.count > 0) note(broken.message());
  } else {
    initialize(state.weights, settings.batches.seed, executor);
  }
  return found;
}

void share_starting_point(Communicator& communicator, bool resumed, const ParameterView& weights,
                          const MomentTransport& moments, RunState& done) {
  if (communicator.size() == 1) return;
  // A sum to which rank 0 alone adds something is a broadcast.
  std::vector<double> start(4, 0.);
  if (communicator.rank() == 0) {
    start = {double(done.step), double(done.tokens), done.elapsed_s, double(resumed)};
  }
  communicator.all_reduce(start, Reduction::kSum);
  done.step = int64_t(start[0]);
  done.tokens = int64_t(start[1]);
  done.elapsed_s = start[2];
  wait_for(communicator.begin_broadcast(weights.data, 0));
  if (start[3] != 0.) moments.scatter();
}

}  // namespace weft
