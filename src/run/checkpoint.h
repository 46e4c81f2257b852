// Checkpoint: a directory that holds everything a run needs to continue with the same bits.
//
//   <run>/checkpoints/step_00000100/
//     model.safetensors config.json ...   a Hugging Face model directory, tokenizer included
//     optimizer.safetensors               the optimizer's state: "m/<parameter>", "v/<parameter>"
//     state.json                          step, schedule, data position, checksums of the files
//
// It appears by rename, whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "data/tokenizer.h"
#include "step/training_state.h"

namespace weft {

// What a run must agree on with the run that it continues, and where that one stopped.
struct RunState {
  int64_t step = 0;       // updates done
  int64_t tokens = 0;     // seen
  double elapsed_s = 0.;  // trained for

  // The order of the data: another value would show the model other sequences.
  uint64_t seed = 0;
  bool shuffle = true;
  int64_t T = 0;
  int64_t sequences_per_step = 0;
  uint64_t data_fingerprint = 0;

  // The course of the run: another value continues, but not as the first run would have.
  std::string schedule;   // kind, rate, warmup, final fraction, steps
  std::string optimizer;  // betas, eps, decay, clipping
  std::string batching;   // B and micro-steps: the order of sums
  std::string precision = "fp32";

  bool operator==(const RunState&) const = default;
};

// Called before the optimizer's state of one parameter is read: "m/block3/qkvw". Where other ranks
// keep parts of it, this is when they must come.
using BringMoment = std::function<void(const std::string& tensor)>;

// Writes step_<state.step> under <run>/checkpoints. Returns its path: from then on the checkpoint
// survives a power loss. Throws Error (kFailure), and then earlier checkpoints are whole and
// nothing is left of this one.
std::filesystem::path write_checkpoint(const std::filesystem::path& run_directory,
                                       const RunState& state, const TrainingState& training,
                                       const Tokenizer* tokenizer, FileSystem& files = disk(),
                                       const BringMoment& bring = {});

// Removes checkpoints until `keep` are left: `newest` and those before it (0: all stay). Newer ones
// are what a damaged run left behind: they must not push out the one that was just written.
// Throws Error (kFailure).
void prune_checkpoints(const std::filesystem::path& run_directory,
                       const std::filesystem::path& newest, int64_t keep,
                       FileSystem& files = disk());

struct FoundCheckpoint {
  std::filesystem::path path;
  RunState state;
};

// Throws Error (kInput) with the reason if the checkpoint is not whole: a file without the checksum
// that it recorded, or a state that cannot be.
RunState verify_checkpoint(const std::filesystem::path& checkpoint);

// The newest checkpoint whose files have the checksums that it recorded. Each newer one that does
// not is named to skipped(message), with the reason.
std::optional<FoundCheckpoint> newest_good_checkpoint(
    const std::filesystem::path& run_directory,
    const std::function<void(const std::string&)>& skipped);

// Throws Error (kInput) if the checkpoint is of another model.
void read_checkpoint(const FoundCheckpoint& checkpoint, const TrainingState& training);

// Removes what a run that was killed left half written.
void remove_unfinished_checkpoints(const std::filesystem::path& run_directory,
                                   FileSystem& files = disk());

}  // namespace weft
