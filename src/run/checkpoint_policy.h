// CheckpointPolicy: at which steps a run writes a checkpoint, and which checkpoints it keeps.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/file_system.h"

namespace weft {

struct CheckpointPolicy {
  int64_t every = 0;  // steps between checkpoints; 0: only at the end
  int64_t keep = 3;   // checkpoints; 0: all of them
};

// Whether something that happens every so many steps happens after this one. every = 0: never.
inline bool is_due(int64_t step, int64_t every) { return every > 0 && step % every == 0; }

// Removes checkpoints until `keep` are left: `newest` and those before it. Newer ones stem from a
// run whose last checkpoints were damaged: they stay, and do not push out the one just written.
// Throws Error (kFailure).
void prune_checkpoints(const std::filesystem::path& run_directory,
                       const std::filesystem::path& newest, int64_t keep,
                       FileSystem& files = disk());

}  // namespace weft
