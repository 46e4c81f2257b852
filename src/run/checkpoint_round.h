// CheckpointRound: all ranks of a run write one checkpoint together. Rank 0 writes the files, and
// the others send it the moments that they keep.
#pragma once

#include "comm/communicator.h"
#include "data/tokenizer.h"
#include "parallel/moment_transport.h"
#include "run/run_directory.h"
#include "run/run_state.h"
#include "run/train_listener.h"
#include "step/training_state.h"

namespace weft {

class CheckpointRound {
 public:
  // directory: of the run on rank 0, null on the others; tokenizer: may be null.
  // REQUIRES: all arguments outlive this.
  CheckpointRound(Communicator& communicator, MomentTransport& moments, const TrainingState& state,
                  const Tokenizer* tokenizer, RunDirectory* directory, TrainListener& listener)
      : communicator_(communicator),
        moments_(moments),
        state_(state),
        tokenizer_(tokenizer),
        directory_(directory),
        listener_(listener) {}

  // A collective. required: a disk that refuses the checkpoint ends the run; else it is noted.
  // Throws Error (kFailure) on all ranks: weights that are not finite, a required checkpoint that
  // cannot be written. REQUIRES: no update is waiting.
  void save(const RunState& done, const std::filesystem::path& run_directory, bool required);

 private:
  void write(const RunState& done, bool required);
  void write_with(const FetchShard& fetch, const RunState& done, bool required);

  Communicator& communicator_;
  MomentTransport& moments_;
  const TrainingState& state_;
  const Tokenizer* tokenizer_;
  RunDirectory* directory_;
  TrainListener& listener_;
};

}  // namespace weft
