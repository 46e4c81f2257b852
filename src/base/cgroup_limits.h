// What the control groups of Linux allow a process: its containers and its batch job.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace weft {

struct CgroupLimits {
  std::optional<double> cpus = {};  // CPU time per time
  std::optional<uint64_t> memory_bytes = {};
  std::optional<uint64_t> memory_left = {};  // until then, counting what files cached as free
};

// The strictest limit of the process's group and of those around it, versions 1 and 2.
CgroupLimits read_cgroup_limits(const std::filesystem::path& root);

}  // namespace weft
