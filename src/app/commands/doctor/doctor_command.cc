// `weft doctor`: measures this machine, and lists what costs speed.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "app/cli/executor_flags.h"
#include "app/cli/format.h"
#include "app/command_table.h"
#include "app/commands/doctor/machine_advice.h"
#include "base/json.h"
#include "comm/connect.h"
#include "comm/launcher.h"
#include "kernels/bf16_backend.h"
#include "kernels/gemm.h"
#include "kernels/simd_target.h"
#include "measure/machine.h"
#include "measure/machine_facts.h"
#include "measure/memory_bandwidth.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

struct Bf16Peak {
  std::string unit;  // of the CPU
  double flops;
};

struct Diagnosis {
  MachineFacts facts;
  int threads = 1;
  double fp32_flops = 0.;
  std::vector<Bf16Peak> bf16_peaks;  // of what the CPU has; the first is what weft uses
  double bandwidth = 0.;             // bytes per second of y += x; 0: not measured
  double read_bandwidth = 0.;        // of reading alone; 0: not measured
  std::vector<Advice> advice;
};

std::vector<Bf16Peak> measure_bf16_peaks(const Executor& executor) {
  std::vector<Bf16Peak> peaks;
  for (const Bf16Backend backend : {Bf16Backend::kAmx, Bf16Backend::kAvx512Bf16}) {
    if (!cpu_has(backend)) continue;
    peaks.push_back({bf16_description(backend), measure_peak_bf16_flops(executor, backend)});
  }
  return peaks;
}

// Measures on at most as many threads as there are CPUs, since more only take longer.
Diagnosis diagnose(MachineFacts facts, const ExecutorSettings& options) {
  Diagnosis d;
  d.facts = std::move(facts);
  d.threads = make_executor(options)->threads();
  d.advice = advise(d.facts, d.threads);
  const int measured = std::min(d.threads, d.facts.usable_cpus);
  const std::unique_ptr<Executor> executor = make_executor(options.name, measured);
  d.fp32_flops = measure_peak_flops(*executor);
  d.bf16_peaks = measure_bf16_peaks(*executor);
  const size_t bytes = streamed_bytes(d.facts, measured);
  if (bytes > 0) {
    d.bandwidth = measure_bandwidth(*executor, Traffic::kUpdate, bytes);
    d.read_bandwidth = measure_bandwidth(*executor, Traffic::kRead, bytes);
  }
  return d;
}

std::string joined(const std::vector<std::string>& words, const char* none) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.empty() ? none : text;
}

std::string describe_cpus(const Diagnosis& d) {
  const MachineFacts& f = d.facts;
  std::string text = fmt::format("{} physical, {} logical, {} in the affinity mask", f.cores,
                                 f.cpus, f.usable_cpus);
  if (f.cpu_quota) text += fmt::format(", {:.1f} by cgroup quota", *f.cpu_quota);
  return text;
}

std::string describe_caches(const MachineFacts& facts) {
  std::string text;
  for (const CacheLevel& c : facts.caches) {
    text +=
        fmt::format("{}L{} {} x {} KiB", text.empty() ? "" : ", ", c.level, c.count, c.bytes >> 10);
  }
  return text.empty() ? "unknown" : text;
}

std::string describe_environment(const MachineFacts& facts) {
  std::vector<std::string> set;
  for (const auto& [name, value] : facts.environment)
    set.push_back(fmt::format("{}={}", name, value));
  return joined(set, "none of OpenMP's or MPI's variables is set");
}

std::string describe_bandwidth(const Diagnosis& d) {
  if (d.bandwidth == 0.) return "not measured: too little memory is available";
  return fmt::format("{}B/s measured (y += x: two reads and a write), {}B/s of reading alone",
                     format_large(d.bandwidth), format_large(d.read_bandwidth));
}

// "3.57TFLOP/s measured with AMX tiles, 121GFLOP/s with AVX512-BF16"
std::string describe_bf16(const Diagnosis& d) {
  if (d.bf16_peaks.empty()) return "none: " + bf16_description();
  std::string text;
  for (const Bf16Peak& peak : d.bf16_peaks) {
    text += fmt::format("{}{}FLOP/s{} with {}", text.empty() ? "" : ", ", format_large(peak.flops),
                        text.empty() ? " measured" : "", peak.unit);
  }
  return text;
}

// "rank 0 of 8, 2 on this host; it may use 4 of the host's 8 CPUs"
std::string describe_ranks(const MachineFacts& facts) {
  const LaunchedRanks launched = facts.launched();
  if (!launched.rank) return "1: neither mpirun nor srun started this";
  std::string text = fmt::format("rank {}", *launched.rank);
  if (launched.ranks) text += fmt::format(" of {}", *launched.ranks);
  if (launched.ranks_here) {
    text += fmt::format(", {} on this host; it may use {} of the host's {} CPUs",
                        *launched.ranks_here, facts.usable_cpus, facts.cpus);
  }
  return text;
}

void print_text(const Diagnosis& d) {
  const auto line = [](const char* name, const std::string& text) {
    fmt::print("{:<14} {}\n", name, text);
  };
  const MachineFacts& f = d.facts;
  line("weft", version() + ", commit " + git_commit());
  line("CPU", f.cpu);
  line("vector units", fmt::format("{}; weft's kernels use {}",
                                   joined(f.vector_units, "none that weft knows"), simd_target()));
  line("cores", describe_cpus(d));
  line("threads", fmt::format("{}", d.threads));
  line("caches", describe_caches(f));
  line("NUMA nodes", fmt::format("{}", f.numa_nodes));
  line("memory", fmt::format("{}, {} available", format_bytes(f.memory_bytes),
                             format_bytes(f.available_bytes)));
  line("bandwidth", describe_bandwidth(d));
  line("peak fp32", fmt::format("{}FLOP/s measured", format_large(d.fp32_flops)));
  line("peak bf16", describe_bf16(d));
  line("GEMM", gemm_description());
  line("OpenMP", openmp_runtime());
  line("MPI", mpi_library());
  line("ranks", describe_ranks(f));
  line("environment", describe_environment(f));
  line("huge pages", f.huge_pages);
  line("governor", f.governor);
  line("load", fmt::format("{:.2f} in the last minute", f.load));
  fmt::print("\n{}\n", d.advice.empty() ? "Nothing that costs speed was found." : "Warnings");
  for (const Advice& a : d.advice) fmt::print("  {}\n    {}\n", a.what, a.hint);
}

ordered_json caches_json(const MachineFacts& facts) {
  ordered_json caches = ordered_json::array();
  for (const CacheLevel& c : facts.caches) {
    caches.push_back({{"level", c.level}, {"bytes", c.bytes}, {"count", c.count}});
  }
  return caches;
}

ordered_json bf16_json(const Diagnosis& d) {
  ordered_json peaks = ordered_json::object();
  for (const Bf16Peak& peak : d.bf16_peaks) peaks[peak.unit] = peak.flops;
  return peaks;
}

ordered_json number_or_null(std::optional<int> number) {
  return number ? ordered_json(*number) : ordered_json();
}

ordered_json warnings_json(const std::vector<Advice>& advice) {
  ordered_json warnings = ordered_json::array();
  for (const Advice& a : advice) warnings.push_back({{"what", a.what}, {"hint", a.hint}});
  return warnings;
}

// Numbers are bytes, bytes/s and FLOP/s, or null.
void print_json(const Diagnosis& d) {
  const MachineFacts& f = d.facts;
  const LaunchedRanks launched = launched_ranks();
  const ordered_json json = {
      {"version", version()},
      {"commit", git_commit()},
      {"cpu", f.cpu},
      {"vector_units", f.vector_units},
      {"vector_target", simd_target()},
      {"cores", f.cores},
      {"cpus", f.cpus},
      {"usable_cpus", f.usable_cpus},
      {"cpu_quota", f.cpu_quota ? ordered_json(*f.cpu_quota) : ordered_json()},
      {"threads", d.threads},
      {"caches", caches_json(f)},
      {"numa_nodes", f.numa_nodes},
      {"memory_bytes", f.memory_bytes},
      {"available_bytes", f.available_bytes},
      {"bandwidth", d.bandwidth > 0. ? ordered_json(d.bandwidth) : ordered_json()},
      {"read_bandwidth", d.read_bandwidth > 0. ? ordered_json(d.read_bandwidth) : ordered_json()},
      {"peak_fp32", d.fp32_flops},
      {"peak_bf16",
       d.bf16_peaks.empty() ? ordered_json() : ordered_json(d.bf16_peaks.front().flops)},
      {"peak_bf16_of", bf16_json(d)},
      {"gemm", gemm_description()},
      {"openmp", openmp_runtime()},
      {"mpi", mpi_library()},
      {"rank", number_or_null(launched.rank)},
      {"ranks", number_or_null(launched.ranks)},
      {"ranks_here", number_or_null(launched.ranks_here)},
      {"environment", f.environment},
      {"huge_pages", f.huge_pages},
      {"governor", f.governor},
      {"load", f.load},
      {"warnings", warnings_json(d.advice)},
  };
  std::puts(json_text(json, 2).c_str());
}

}  // namespace

int doctor_command(const Arguments& arguments) {
  ExecutorSettings options;
  bool as_json = false;
  Options flags(
      "doctor",
      "Says what this machine can do and what about it costs speed. Takes about a "
      "second; the exit status is 0 with warnings, too. Under mpirun or srun, rank 0 speaks "
      "for its host.");
  add_executor_flags(flags, options);
  flags.flag("--json", as_json, "Print a JSON object");
  if (!flags.parse(arguments)) return 0;
  MachineFacts facts = this_machine();
  // Rank 0 measures for all ranks, so that the others do not disturb it.
  if (facts.launched().rank.value_or(0) != 0) return 0;
  const Diagnosis diagnosis = diagnose(std::move(facts), options);
  (as_json ? print_json : print_text)(diagnosis);
  return 0;
}

}  // namespace weft
