// Whether a checkpoint's files are those that were saved.
#pragma once

#include <cstdint>
#include <filesystem>

namespace weft {

struct VerifiedCheckpoint {
  int64_t step = 0;
  int64_t tokens = 0;
};

// Compares every checksum that state.json recorded. Throws Error (kInput) with the reason.
VerifiedCheckpoint verified_checkpoint(const std::filesystem::path& checkpoint);

}  // namespace weft
