// How much memory a run may take: asked before it starts, because a process that takes too much is
// killed without a word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

struct AvailableMemory {
  uint64_t ram_bytes = 0;   // without swapping, and within the control group's limit
  uint64_t swap_bytes = 0;  // free
};

// What this process can still take; nothing where the system does not say.
std::optional<AvailableMemory> available_memory();

// Throws Error (kFailure), "needs 9.3 GB, 4.1 GB available", if `bytes` are more than there is,
// swap included. Returns a warning if they fit with swap only, else an empty string.
//   what: the subject, "training this model"
std::string require_memory(uint64_t bytes, const std::string& what, const std::string& hint,
                           const std::optional<AvailableMemory>& available = available_memory());

// ---- The parts, for tests ----------------------------------------------------------------------

// Of the text of /proc/meminfo.
std::optional<AvailableMemory> parse_meminfo(std::string_view text);

// What a control group leaves: its limit ("max" is none), what it uses, and its memory.stat, whose
// inactive_file pages the kernel gives back first.
std::optional<uint64_t> group_memory_left(std::string_view limit, std::string_view usage,
                                          std::string_view stat);

}  // namespace weft
