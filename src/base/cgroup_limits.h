// The limits that Linux control groups (of a container or a batch job) set for a process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace weft {

struct CgroupLimits {
  std::optional<double> cpus = {};  // CPU seconds per second
  std::optional<uint64_t> memory_bytes = {};
  std::optional<uint64_t> memory_left = {};  // up to that limit; cached file pages count as free
};

// Returns the strictest limits of the process's group and its ancestors, of cgroup versions 1
// and 2.
CgroupLimits read_cgroup_limits(const std::filesystem::path& root);

}  // namespace weft
