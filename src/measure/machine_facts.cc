#include "measure/machine_facts.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "base/cgroup_limits.h"
#include "base/memory.h"
#include "base/system_files.h"
#include "exec/executor.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

// The vector units that decide the speed of matrix products, by the kernel's names.
constexpr std::pair<const char*, const char*> kVectorUnits[] = {
    {"avx2", "AVX2"},
    {"avx512f", "AVX-512"},
    {"avx512_bf16", "AVX512-BF16"},
    {"amx_bf16", "AMX-BF16"},
};

constexpr const char* kThreadVariables[] = {
    "OMP_NUM_THREADS", "OMP_THREAD_LIMIT",  "OMP_DYNAMIC",         "OMP_PROC_BIND",
    "OMP_PLACES",      "GOMP_CPU_AFFINITY", "SLURM_CPUS_PER_TASK", "SRUN_CPUS_PER_TASK",
};

void read_cpu(const fs::path& root, MachineFacts& facts) {
  const std::string info = file_text(root / "proc/cpuinfo");
  if (const std::string name = field(info, "model name"); !name.empty()) facts.cpu = name;
  const std::string flags = " " + field(info, "flags") + " ";
  facts.is_x86 = flags.size() > 2;
  for (const auto& [flag, name] : kVectorUnits) {
    if (flags.find(std::string(" ") + flag + " ") != flags.npos) facts.vector_units.push_back(name);
  }
}

// "48K"
size_t parse_cache_size(const std::string& text) {
  const size_t n = leading_number<size_t>(text).value_or(0);
  return text.ends_with('K') ? n << 10 : text.ends_with('M') ? n << 20 : n;
}

// CPUs that share a core or a cache name the same list of CPUs.
void read_topology(const fs::path& root, MachineFacts& facts) {
  const fs::path system = root / "sys/devices/system/cpu";
  const std::vector<int> online = parse_cpu_list(file_line(system / "online"));
  std::set<std::string> cores;
  std::map<int, std::map<std::string, size_t>> caches;  // level -> CPUs -> bytes
  for (const int cpu : online) {
    const fs::path path = system / ("cpu" + std::to_string(cpu));
    cores.insert(file_line(path / "topology/thread_siblings_list"));
    for (int i = 0; fs::exists(path / "cache" / ("index" + std::to_string(i))); ++i) {
      const fs::path cache = path / "cache" / ("index" + std::to_string(i));
      if (file_line(cache / "type") == "Instruction") continue;
      const int level = file_number<int>(cache / "level").value_or(0);
      caches[level][file_line(cache / "shared_cpu_list")] =
          parse_cache_size(file_line(cache / "size"));
    }
  }
  facts.cpus = std::max(1, static_cast<int>(online.size()));
  // Without this file, all CPUs would count as one core.
  facts.cores = cores.contains("") || cores.empty() ? facts.cpus : static_cast<int>(cores.size());
  for (const auto& [level, sizes] : caches) {
    facts.caches.push_back({level, sizes.begin()->second, static_cast<int>(sizes.size())});
  }
  const auto nodes = parse_cpu_list(file_line(root / "sys/devices/system/node/has_memory"));
  facts.numa_nodes = std::max(1, static_cast<int>(nodes.size()));
}

void read_memory(const fs::path& root, MachineFacts& facts) {
  const std::string info = file_text(root / "proc/meminfo");
  facts.memory_bytes = leading_number<uint64_t>(field(info, "MemTotal")).value_or(0) << 10;
  facts.available_bytes = available_memory(root).value_or(AvailableMemory()).ram_bytes;
}

void apply(const CgroupLimits& limits, MachineFacts& facts) {
  facts.cpu_quota = limits.cpus;
  if (limits.memory_bytes) facts.memory_bytes = std::min(facts.memory_bytes, *limits.memory_bytes);
}

// "always [madvise] never"
std::string chosen_word(const std::string& text) {
  const size_t open = text.find('['), close = text.find(']');
  if (open == text.npos || close == text.npos || close < open) return "unknown";
  return text.substr(open + 1, close - open - 1);
}

}  // namespace

bool MachineFacts::has(const std::string& vector_unit) const {
  return std::ranges::find(vector_units, vector_unit) != vector_units.end();
}

std::optional<int> MachineFacts::number_of(const std::string& variable) const {
  const auto found = environment.find(variable);
  return found == environment.end() ? std::nullopt : leading_number<int>(found->second);
}

LaunchedRanks MachineFacts::launched() const {
  return launched_ranks([this](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

MachineFacts read_machine_facts(const fs::path& root) {
  MachineFacts facts;
  read_cpu(root, facts);
  read_topology(root, facts);
  read_memory(root, facts);
  apply(read_cgroup_limits(root), facts);
  facts.huge_pages = chosen_word(file_line(root / "sys/kernel/mm/transparent_hugepage/enabled"));
  const std::string governor =
      file_line(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (!governor.empty()) facts.governor = governor;
  facts.load = file_number<double>(root / "proc/loadavg").value_or(0.);
  facts.usable_cpus = facts.cpus;
  return facts;
}

MachineFacts this_machine() {
  MachineFacts facts = read_machine_facts("/");
  facts.usable_cpus = available_cpus();
  const auto read = [&](const char* name) {
    if (const char* value = own_variable(name)) facts.environment[name] = value;
  };
  std::ranges::for_each(kThreadVariables, read);
  std::ranges::for_each(launcher_variables(), read);
  return facts;
}

std::vector<int> parse_cpu_list(const std::string& text) {
  constexpr int kMostCpus = 1 << 16;  // a mistaken range must not fill memory
  std::vector<int> cpus;
  std::istringstream ranges(text);
  for (std::string range; std::getline(ranges, range, ',');) {
    const auto first = leading_number<int>(range);
    const size_t dash = range.find('-', 1);
    const auto last = dash == range.npos ? first : leading_number<int>(range.substr(dash + 1));
    if (!first || !last || *first < 0 || *last >= kMostCpus) continue;
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

}  // namespace weft
