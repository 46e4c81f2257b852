// Checks before a run whether its memory is available, because the kernel kills a process that
// takes too much without any message.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace weft {

struct AvailableMemory {
  uint64_t ram_bytes = 0;   // available without swapping, within the control group's limit
  uint64_t swap_bytes = 0;  // free
};

// Returns the memory that this process can still take; empty if the system does not report it.
//   root: the directory that holds /proc and /sys
std::optional<AvailableMemory> available_memory(const std::filesystem::path& root = "/");

// Throws Error (kFailure), "needs 9.3 GB, 4.1 GB available", if `bytes` exceed the available memory
// including swap. Returns a warning if they fit only with swap, else an empty string.
//   what: the subject of the message, "training this model"
std::string require_memory(uint64_t bytes, const std::string& what, const std::string& hint,
                           const std::optional<AvailableMemory>& available = available_memory());

}  // namespace weft
