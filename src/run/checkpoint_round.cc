#include "run/checkpoint_round.h"

#include <string>

#include "base/error.h"
#include "comm/agreement.h"
#include "run/divergence.h"

namespace weft {

void CheckpointRound::save(const RunState& done, const std::filesystem::path& run_directory,
                           bool required) {
  on_all_ranks(communicator_,
               [&] { refuse_diverged_weights(done.step, state_.weights, run_directory); });
  const bool is_main = directory_ != nullptr;
  if (!is_main && !moments_.keeps_all()) moments_.serve();
  on_all_ranks(communicator_, [&] {
    if (is_main) write(done, required);
  });
}

// The other ranks serve moments until rank 0 ends fetching, so it does that after an error as well.
void CheckpointRound::write(const RunState& done, bool required) {
  if (moments_.keeps_all()) return write_with({}, done, required);
  try {
    write_with([&](const std::string& tensor) { moments_.fetch(tensor); }, done, required);
  } catch (const Error&) {
    moments_.end_fetching();
    throw;
  }
  moments_.end_fetching();
}

void CheckpointRound::write_with(const FetchShard& fetch, const RunState& done, bool required) {
  if (!required) {
    const auto path = directory_->try_to_save(done, state_, tokenizer_, fetch);
    if (path) listener_.saved(done.step, *path);
    return;
  }
  listener_.saved(done.step, directory_->save(done, state_, tokenizer_, fetch));
  directory_->sync_log();
}

}  // namespace weft
