#include "base/cgroup_limits.h"

#include <algorithm>

#include "base/system_files.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

// The files of one cgroup version.
struct Files {
  const char *memory_limit, *memory_usage, *memory_cache;
};
constexpr Files kVersion1 = {"memory.limit_in_bytes", "memory.usage_in_bytes",
                             "total_inactive_file"};
constexpr Files kVersion2 = {"memory.max", "memory.current", "inactive_file"};

template <typename T>
void lower(std::optional<T>& limit, std::optional<T> other) {
  if (other && (!limit || *other < *limit)) limit = other;
}

// Parses version 2's "max 100000", or "150000 100000" for one and a half CPUs.
std::optional<double> quota_2(const fs::path& group) {
  const std::string text = file_line(group / "cpu.max");
  const auto quota = leading_number<double>(text);
  const size_t space = text.find(' ');
  if (!quota || space == text.npos) return std::nullopt;
  const auto period = leading_number<double>(std::string_view(text).substr(space + 1));
  return period && *period > 0. ? std::optional(*quota / *period) : std::nullopt;
}

// Reads version 1's numbers, where -1 means no limit.
std::optional<double> quota_1(const fs::path& group) {
  const auto quota = file_number<double>(group / "cpu.cfs_quota_us");
  const auto period = file_number<double>(group / "cpu.cfs_period_us");
  if (!quota || *quota <= 0. || !period || *period <= 0.) return std::nullopt;
  return *quota / *period;
}

void lower_memory(CgroupLimits& limits, const fs::path& group, const Files& files) {
  const auto limit = file_number<uint64_t>(group / files.memory_limit);
  if (!limit) return;
  lower(limits.memory_bytes, limit);
  const uint64_t usage = file_number<uint64_t>(group / files.memory_usage).value_or(0);
  const std::string stat = file_text(group / "memory.stat");
  const uint64_t cache = leading_number<uint64_t>(field(stat, files.memory_cache)).value_or(0);
  const uint64_t held = usage - std::min(usage, cache);
  lower(limits.memory_left, std::optional(*limit - std::min(*limit, held)));
}

// Calls visit for the group and its ancestors. A container may see its own group as the root.
template <typename Visit>
void for_each_group(const fs::path& mount, const std::string& group, Visit visit) {
  for (fs::path path = fs::path(group).relative_path(); !path.empty(); path = path.parent_path()) {
    visit(mount / path);
  }
  visit(mount);
}

}  // namespace

// Each line of /proc/self/cgroup is "<number>:<controllers>:<group>"; version 2 has no controllers.
CgroupLimits read_cgroup_limits(const fs::path& root) {
  CgroupLimits limits;
  const fs::path mounts = root / "sys/fs/cgroup";
  std::istringstream lines(file_text(root / "proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    const std::string listed = "," + controllers + ",";
    if (controllers.empty()) {
      for_each_group(mounts, group, [&](const fs::path& path) {
        lower(limits.cpus, quota_2(path));
        lower_memory(limits, path, kVersion2);
      });
    } else if (listed.find(",cpu,") != listed.npos) {
      for_each_group(mounts / controllers, group,
                     [&](const fs::path& path) { lower(limits.cpus, quota_1(path)); });
    } else if (listed.find(",memory,") != listed.npos) {
      for_each_group(mounts / controllers, group,
                     [&](const fs::path& path) { lower_memory(limits, path, kVersion1); });
    }
  }
  return limits;
}

}  // namespace weft
