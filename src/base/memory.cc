#include "base/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/error.h"

namespace weft {
namespace {

std::optional<uint64_t> parse_number(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

// The number behind a name at the beginning of a line: "MemAvailable:", "inactive_file ".
std::optional<uint64_t> number_after(std::string_view text, std::string_view name) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with(name)) return parse_number(line.substr(name.size()));
    at = end + 1;
  }
  return std::nullopt;
}

// Files of the kernel; empty where there is none.
std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

// The least of what this process's control group (version 2) and those above it leave.
std::optional<uint64_t> least_group_memory_left() {
  const std::string groups = content_of("/proc/self/cgroup");
  const size_t begin = groups.find("0::/");
  if (begin == std::string::npos) return std::nullopt;
  std::string group = groups.substr(begin + 3, groups.find('\n', begin) - begin - 3);
  std::optional<uint64_t> least;
  while (!group.empty()) {
    const std::string directory = "/sys/fs/cgroup" + group;
    const auto left = group_memory_left(content_of(directory + "/memory.max"),
                                        content_of(directory + "/memory.current"),
                                        content_of(directory + "/memory.stat"));
    if (left) least = std::min(*left, least.value_or(*left));
    group.erase(group.find_last_of('/'));
  }
  return least;
}

std::string gigabytes(uint64_t bytes) { return fmt::format("{:.1f} GB", 1e-9 * double(bytes)); }

}  // namespace

std::optional<AvailableMemory> parse_meminfo(std::string_view text) {
  constexpr uint64_t kUnit = 1024;  // the file says kB and means KiB
  const auto available = number_after(text, "MemAvailable:");
  if (!available) return std::nullopt;
  return AvailableMemory{*available * kUnit, number_after(text, "SwapFree:").value_or(0) * kUnit};
}

std::optional<uint64_t> group_memory_left(std::string_view limit, std::string_view usage,
                                          std::string_view stat) {
  const auto most = parse_number(limit), used = parse_number(usage);
  if (!most || !used) return std::nullopt;
  const uint64_t reclaimable = number_after(stat, "inactive_file ").value_or(0);
  const uint64_t held = *used - std::min(*used, reclaimable);
  return *most - std::min(*most, held);
}

std::optional<AvailableMemory> available_memory() {
  std::optional<AvailableMemory> memory = parse_meminfo(content_of("/proc/meminfo"));
  const std::optional<uint64_t> group = least_group_memory_left();
  if (memory && group && *group < memory->ram_bytes) memory->ram_bytes = *group;
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
