#include "base/memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cgroup_limits.h"
#include "base/error.h"
#include "base/system_files.h"

namespace weft {
namespace {

std::string gigabytes(uint64_t bytes) { return fmt::format("{:.1f} GB", 1e-9 * double(bytes)); }

}  // namespace

std::optional<AvailableMemory> available_memory(const std::filesystem::path& root) {
  constexpr uint64_t kUnit = 1024;  // the file writes kB for KiB
  const std::string info = file_text(root / "proc/meminfo");
  const auto available = leading_number<uint64_t>(field(info, "MemAvailable"));
  if (!available) return std::nullopt;
  AvailableMemory memory;
  memory.ram_bytes = *available * kUnit;
  memory.swap_bytes = leading_number<uint64_t>(field(info, "SwapFree")).value_or(0) * kUnit;
  const CgroupLimits limits = read_cgroup_limits(root);
  if (limits.memory_left) memory.ram_bytes = std::min(memory.ram_bytes, *limits.memory_left);
  return memory;
}

std::string require_memory(uint64_t bytes, const std::string& what, const std::string& hint,
                           const std::optional<AvailableMemory>& available) {
  if (!available || bytes <= available->ram_bytes) return {};
  const std::string facts = fmt::format("{} needs {}, {} available", what, gigabytes(bytes),
                                        gigabytes(available->ram_bytes));
  if (bytes > available->ram_bytes + available->swap_bytes) throw failure("memory", facts, hint);
  return facts + ": it will swap, and be slow; " + hint;
}

}  // namespace weft
