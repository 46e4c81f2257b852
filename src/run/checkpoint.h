// Checkpoint: a directory that holds everything a run needs to continue with the same bits.
//
//   <run>/checkpoints/step_00000100/
//     model.safetensors config.json ...   a Hugging Face model directory, tokenizer included
//     optimizer.safetensors               the optimizer's state: "m/<parameter>", "v/<parameter>"
//     state.json                          RunState, and checksums of the files
//
// A checkpoint is written under the name .unfinished_* and appears by rename, whole or not at all;
// the next run removes what a crash left. A run that resumes looks here for the newest good one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "data/tokenizer.h"
#include "run/run_state.h"
#include "step/training_state.h"

namespace weft {

// Called with the name of a tensor of the optimizer's state ("m/block3/qkvw") before its values are
// read: where other ranks keep parts of the tensor, this fetches them.
using FetchShard = std::function<void(const std::string& tensor)>;

// Writes step_<state.step> under <run>/checkpoints and returns its path; from then on the
// checkpoint survives a power loss. Throws Error (kFailure); then earlier checkpoints are whole and
// nothing is left of this one.
std::filesystem::path write_checkpoint(const std::filesystem::path& run_directory,
                                       const RunState& state, const TrainingState& training,
                                       const Tokenizer* tokenizer, FileSystem& files = disk(),
                                       const FetchShard& fetch = {});

// Renames the checkpoint first, so that a kill in the middle leaves no half checkpoint under a good
// name. Throws Error (kFailure).
void remove_checkpoint(const std::filesystem::path& checkpoint, FileSystem& files = disk());

struct FoundCheckpoint {
  std::filesystem::path path;
  RunState state;
};

// Throws Error (kInput) with the reason if the checkpoint is damaged: a file does not have the
// recorded checksum, or state.json is malformed.
RunState verify_checkpoint(const std::filesystem::path& checkpoint);

// The newest checkpoint that verify_checkpoint accepts. Calls skipped(message) with the reason for
// each newer one.
std::optional<FoundCheckpoint> newest_good_checkpoint(
    const std::filesystem::path& run_directory,
    const std::function<void(const std::string&)>& skipped);

// Throws Error (kInput) if the checkpoint is of another model.
void read_checkpoint(const FoundCheckpoint& checkpoint, const TrainingState& training);

// Removes the checkpoints that a killed run left half written or half removed.
void remove_unfinished_checkpoints(const std::filesystem::path& run_directory,
                                   FileSystem& files = disk());

}  // namespace weft
