// `weft bench kernels`: compares every kernel with its roofline on this machine.
#include <fmt/format.h>
#include <regex.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "app/cli/format.h"
#include "app/cli/live_line.h"
#include "app/cli/terminal.h"
#include "app/commands/bench/bench_options.h"
#include "measure/kernel_cases.h"
#include "measure/kernel_timing.h"
#include "measure/machine.h"
#include "measure/memory_bandwidth.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

// The most bytes that are streamed where memory is short.
constexpr size_t kLittleMemory = size_t{1} << 24;

struct KernelsOptions : BenchOptions {
  std::string filter;
  double least_s = 0.1;
  int64_t repetitions = 5;
};

bool parse(const Arguments& arguments, KernelsOptions& o) {
  Options flags("bench kernels",
                "Times each kernel on one thread, at the shapes of the model's step, and sets it "
                "against what the machine can do. hot: its operands are in the cache. cold: those "
                "that a step finds in memory (the weights of matrix products) come from there.");
  add_bench_flags(flags, o);
  flags.text("--filter", o.filter, "REGEX", "Only kernels whose name contains a match");
  // Reading the clock must be a small part of a repetition.
  flags.real("--min-time", o.least_s, {1e-3, 3600.}, "Seconds per repetition, at least");
  flags.integer("--repetitions", o.repetitions, {2, 1000}, "Their median counts");
  return parse_workload_flags(flags, arguments, o);
}

// An extended regular expression. POSIX's functions, because std::regex takes the compiler seconds.
class NameFilter {
 public:
  // Throws Error (kInput).
  explicit NameFilter(const std::string& pattern) {
    if (regcomp(&regex_, pattern.c_str(), REG_EXTENDED | REG_NOSUB) == 0) return;
    throw input_error("bench kernels", fmt::format("--filter: cannot read '{}'", pattern),
                      "give an extended regular expression, for example '^qkv/'");
  }
  ~NameFilter() { regfree(&regex_); }
  NameFilter(const NameFilter&) = delete;
  NameFilter& operator=(const NameFilter&) = delete;

  // Returns true if the name contains a match.
  bool matches(const std::string& name) const {
    return regexec(&regex_, name.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t regex_;
};

std::vector<KernelCase> chosen_cases(const KernelsOptions& o) {
  std::vector<KernelCase> cases = kernel_cases(o.workload.config, o.workload.B, o.workload.T);
  const NameFilter filter(o.filter);
  std::erase_if(cases, [&](const KernelCase& c) { return !filter.matches(c.name); });
  if (cases.empty()) {
    throw input_error("bench kernels", fmt::format("--filter: no kernel matches '{}'", o.filter),
                      "without --filter, all are timed and listed");
  }
  return cases;
}

// The limits of one thread: arithmetic on registers alone, and bandwidth on arrays of some size.
class ThreadLimits {
 public:
  // Streams at most `most_bytes`.
  explicit ThreadLimits(size_t most_bytes)
      : thread_(make_executor("sequential", 1)), most_bytes_(most_bytes) {
    measure_peak();
  }

  // The best of all calls counts, since other processes only ever slow a measurement down.
  void measure_peak() { peak_ = std::max(peak_, measure_peak_flops(*thread_)); }
  double peak() const { return peak_; }

  // Returns the bandwidth of the cache that holds `bytes`, or that of memory.
  double bandwidth(Traffic traffic, size_t bytes) {
    const size_t size = std::clamp(std::bit_floor(bytes), kLeastBytes, most_bytes_);
    const auto [known, is_new] = bandwidths_.try_emplace({traffic, size}, 0.);
    if (is_new) known->second = measure_thread_bandwidth(traffic, size);
    return known->second;
  }

 private:
  static constexpr size_t kLeastBytes = size_t{1} << 14;

  std::unique_ptr<Executor> thread_;
  size_t most_bytes_;
  double peak_ = 0.;
  std::map<std::pair<Traffic, size_t>, double> bandwidths_;
};

// A timing, and the limits that it is compared with.
struct KernelResult {
  const KernelCase* kernel;
  KernelTiming timing;
  double bandwidth;

  double flops_per_s() const { return kernel->cost.flops / timing.call_s.median; }
  double bytes_per_s() const { return kernel->cost.bytes / timing.call_s.median; }
  double share(double peak) const {
    return kernel->cost.least_seconds(peak, bandwidth) / timing.call_s.median;
  }
  const char* bound(double peak) const {
    return kernel->cost.is_compute_bound(peak, bandwidth) ? "compute" : "memory";
  }
};

ordered_json to_json(const KernelResult& r, double peak) {
  const KernelCost& cost = r.kernel->cost;
  return {{"name", r.kernel->name},
          {"cache", r.kernel->cache == CacheState::kHot ? "hot" : "cold"},
          {"flops", cost.flops},
          {"bytes", cost.bytes},
          {"operand_bytes", r.timing.operand_bytes},
          {"median_us", 1e6 * r.timing.call_s.median},
          {"min_us", 1e6 * r.timing.call_s.min},
          {"max_us", 1e6 * r.timing.call_s.max},
          {"gflops", 1e-9 * r.flops_per_s()},
          {"gbytes_per_s", 1e-9 * r.bytes_per_s()},
          {"bound", r.bound(peak)},
          {"bandwidth_limit", r.bandwidth},
          {"share", r.share(peak)}};
}

void print_table(const std::vector<KernelResult>& results, double peak) {
  fmt::print(
      "One thread. Peak {}FLOP/s of fp32, measured. share: of the time that the peak or the\n"
      "measured bandwidth of the operands' place (cache or memory) allows at best: that of "
      "reading\n"
      "a sum, for kernels that write next to nothing, or else that of y += x.\n\n",
      format_large(peak));
  fmt::print("{:<38} {:>10} {:>7} {:>9} {:>8}  {:<8} {:>7}\n", "kernel", "median us", "spread",
             "GFLOP/s", "GB/s", "bound by", "share");
  for (const KernelResult& r : results) {
    const double spread = (r.timing.call_s.max - r.timing.call_s.min) / r.timing.call_s.median;
    fmt::print("{:<38} {:>10.2f} {:>7} {:>9.2f} {:>8.2f}  {:<8} {:>7}\n", r.kernel->name,
               1e6 * r.timing.call_s.median, format_percent(spread), 1e-9 * r.flops_per_s(),
               1e-9 * r.bytes_per_s(), r.bound(peak), format_percent(r.share(peak)));
  }
}

// Removes the cold cases where there is no memory for them. Returns the size of their operands.
size_t choose_cold_bytes(std::vector<KernelCase>& cases, Terminal& terminal) {
  const size_t bytes = streamed_bytes(this_machine(), 1);
  if (bytes > 0) return bytes;
  terminal.line("note: too little memory is available to time kernels cold");
  std::erase_if(cases, [](const KernelCase& c) { return c.cache == CacheState::kCold; });
  return 0;
}

}  // namespace

int bench_kernels(const Arguments& arguments) {
  KernelsOptions o;
  if (!parse(arguments, o)) return 0;
  std::vector<KernelCase> cases = chosen_cases(o);
  Terminal terminal;
  LiveLine live(terminal);
  const KernelTimingSettings settings = {.cold_bytes = choose_cold_bytes(cases, terminal),
                                         .least_s = o.least_s,
                                         .repetitions = o.repetitions};
  ThreadLimits limits(std::max(settings.cold_bytes, kLittleMemory));
  std::vector<KernelResult> results;
  for (const KernelCase& kernel : cases) {
    const KernelTiming timing = time_kernel(kernel, settings);
    // A hot call may touch only a part of its operands, such as a block of columns.
    const bool is_hot = kernel.cache == CacheState::kHot;
    const size_t touched = is_hot ? static_cast<size_t>(kernel.cost.bytes) : timing.operand_bytes;
    const Traffic traffic = kernel.cost.only_reads ? Traffic::kRead : Traffic::kUpdate;
    results.push_back({&kernel, timing, limits.bandwidth(traffic, touched)});
    live.show([&] {
      return fmt::format("kernel {} of {}: {}", results.size(), cases.size(), kernel.name);
    });
  }
  limits.measure_peak();

  if (!o.as_json) {
    print_table(results, limits.peak());
    return 0;
  }
  ordered_json json = bench_json("kernels", o.workload);
  json["threads"] = 1;
  json["peak_fp32"] = limits.peak();
  json["kernels"] = ordered_json::array();
  for (const KernelResult& r : results) json["kernels"].push_back(to_json(r, limits.peak()));
  print_json(json);
  return 0;
}

}  // namespace weft
