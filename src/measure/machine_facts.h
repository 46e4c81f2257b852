// MachineFacts: the machine, and the share of it that this process may use, as Linux describes
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "comm/launcher.h"

namespace weft {

struct CacheLevel {
  int level = 1;
  size_t bytes = 0;  // of each
  int count = 0;     // in the machine
};

struct MachineFacts {
  std::string cpu = "unknown CPU";
  bool is_x86 = false;
  std::vector<std::string> vector_units = {};  // of AVX2, AVX-512, AVX512-BF16, AMX-BF16
  int cores = 1;                               // physical
  int cpus = 1;                                // logical, online
  int usable_cpus = 1;                         // in the process's affinity mask
  std::optional<double> cpu_quota = {};        // CPUs' worth of time that the cgroups allow
  int numa_nodes = 1;
  std::vector<CacheLevel> caches = {};  // of data, level 1 first
  uint64_t memory_bytes = 0;            // of the machine, or what the cgroups allow if that is less
  uint64_t available_bytes = 0;         // of them, without swapping
  std::string huge_pages = "unknown";   // transparent ones: always, madvise or never
  std::string governor = "unknown";     // of the clock
  double load = 0.;                     // processes that want a CPU, mean of the last minute
  std::map<std::string, std::string> environment = {};  // OpenMP's and MPI's variables that are set

  bool has(const std::string& vector_unit) const;
  bool has_bf16() const { return has("AVX512-BF16") || has("AMX-BF16"); }
  // Returns a variable's value as a number, or nothing if it is unset or not a number.
  std::optional<int> number_of(const std::string& variable) const;

  // Ranks as the launcher describes them in `environment`.
  LaunchedRanks launched() const;
};

// Reads the facts that are files under root ("/"): all but usable_cpus and environment. Facts that
// cannot be read keep their defaults.
MachineFacts read_machine_facts(const std::filesystem::path& root);

// Returns all facts of this process.
MachineFacts this_machine();

// Counts the CPUs in a list of the kernel's form: "0-2,5" has four.
std::vector<int> parse_cpu_list(const std::string& text);

}  // namespace weft
