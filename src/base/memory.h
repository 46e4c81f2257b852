// How much memory a run may take: asked before it starts, because a process that takes too much is
// killed without a word.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace weft {

struct AvailableMemory {
  uint64_t ram_bytes = 0;   // without swapping, and within the control group's limit
  uint64_t swap_bytes = 0;  // free
};

// What this process can still take; nothing where the system does not say.
//   root: that of /proc and /sys
std::optional<AvailableMemory> available_memory(const std::filesystem::path& root = "/");

// Throws Error (kFailure), "needs 9.3 GB, 4.1 GB available", if `bytes` are more than there is,
// swap included. Returns a warning if they fit with swap only, else an empty string.
//   what: the subject, "training this model"
std::string require_memory(uint64_t bytes, const std::string& what, const std::string& hint,
                           const std::optional<AvailableMemory>& available = available_memory());

}  // namespace weft
