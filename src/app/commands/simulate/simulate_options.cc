#include "app/commands/simulate/simulate_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "app/cli/output_file.h"
#include "app/cli/precision_flag.h"
#include "exec/executor.h"
#include "parallel/strategy.h"
#include "predict/measured_network.h"
#include "timeline/timeline_file.h"

namespace weft {
namespace {

constexpr int kMostNodes = 4096, kMostCores = 4096, kMostRanks = 16384;
constexpr double kLarge = 1e9;

// Values as text, before they are parsed.
struct Texts {
  std::string nodes = "1", cores, dist = "all-reduce", exec = "tasks", root = "direct";
  int64_t ranks_per_node = 1;
  double bandwidth_gbps = 0., latency_us = 2., memory_gb_per_s = 0., barrier_us = -1.;
};

constexpr const char* kSummary =
    "Predicts the time of a training step on machines that need not be here, from the step's own "
    "graph and from what its ops cost on this machine. All nodes, cores and links are taken to be "
    "alike. An op costs what it was measured to cost with as many threads, or with the most that "
    "were measured; memory and the network share out what --memory-gb-per-s and --bandwidth-gbps "
    "say. There is no NUMA, no noise, and no data to read. Transfers go on by themselves, one at a "
    "time.";

void add_flags(Options& flags, SimulateOptions& o, Texts& t) {
  add_bench_flags(flags, o);
  add_precision_flag(flags, o.workload.precision);
  flags.group("The machine");
  flags.text("--nodes", t.nodes, "N[,N..]", "Nodes");
  flags.text("--cores", t.cores, "N[,N..]", "Cores of a node; those of this process");
  flags.integer("--ranks-per-node", t.ranks_per_node, {1, kMostCores},
                "Ranks that share a node's cores and link evenly");
  flags.real("--bandwidth-gbps", t.bandwidth_gbps, {0., kLarge},
             "Gbit/s of a node's link, each way; needed for several ranks unless --comm says it");
  flags.real("--latency-us", t.latency_us, {0., kLarge}, "Of a message, in microseconds");
  flags.real("--memory-gb-per-s", t.memory_gb_per_s, {0., kLarge},
             "GB/s of a node's memory, for ops that it bounds; 0 = enough for all cores");
  flags.group("How to train");
  std::vector<std::string> dists = strategy_names();
  dists.emplace_back("all");
  flags.choice("--dist", t.dist, dists, "Distribution strategy");
  std::vector<std::string> executors = simulated_executor_names();
  executors.emplace_back("all");
  flags.choice("--exec", t.exec, std::move(executors), "Execution model");
  flags.real("--bucket-mb", o.training.bucket_mb, {0., 1e5}, "Gradients per transfer, in MiB");
  flags.flag("--overlap,!--no-overlap", o.training.overlap,
             "Communicate beside computing, or before and after");
  flags.choice("--root-transfers", t.root, {"direct", "tree", "chain"},
               "How server's transfers go to rank 0 and from it");
  flags.group("What things cost");
  flags.text("--costs", o.costs, "FILE",
             "Of ops, as weft bench tasks --costs writes it; without it two layers are measured");
  flags.integer("--steps", o.steps, {1, 1'000'000}, "Steps that are measured without --costs");
  flags.real("--barrier-us", t.barrier_us, {0., kLarge},
             "Of fork-join, in microseconds; as measured, however many cores there are");
  flags.text("--comm", o.comm, "FILE",
             "JSON of weft bench comm: link, latency, and what each collective reaches of it");
  flags.group("Output");
  flags.text("--trace", o.trace, "FILE", "Timeline of the one step that is simulated");
}

std::vector<int> parse_counts(const Options& flags, const char* flag, const std::string& text,
                              int most) {
  std::vector<int> counts;
  for (const char *at = text.data(), *end = at + text.size();; ++at) {
    int count = 0;
    const auto [stop, error] = std::from_chars(at, end, count);
    if (error != std::errc() || count < 1 || count > most || (stop != end && *stop != ',')) {
      throw flags.error(flag, fmt::format("'{}' is no list of numbers in [1, {}]", text, most),
                        "as in 1,2,4");
    }
    counts.push_back(count);
    if (stop == end) return counts;
    at = stop;
  }
}

std::vector<std::string> one_or_all(const std::string& name, std::vector<std::string> all) {
  return name == "all" ? std::move(all) : std::vector<std::string>{name};
}

}  // namespace

bool parse_simulate_options(const Arguments& arguments, SimulateOptions& o) {
  Options flags("simulate", kSummary);
  Texts t;
  t.cores = fmt::format("{}", available_cpus());
  add_flags(flags, o, t);
  if (!parse_workload_flags(flags, arguments, o)) return false;
  o.nodes = parse_counts(flags, "--nodes", t.nodes, kMostNodes);
  o.cores = parse_counts(flags, "--cores", t.cores, kMostCores);
  o.dists = one_or_all(t.dist, strategy_names());
  o.execs = one_or_all(t.exec, simulated_executor_names());

  SimulatedTraining& training = o.training;
  training.workload = o.workload;
  training.ranks_per_node = int(t.ranks_per_node);
  training.memory_bytes_per_s = 1e9 * t.memory_gb_per_s;
  if (t.barrier_us >= 0.) training.barrier_s = 1e-6 * t.barrier_us;
  training.network.latency_s = 1e-6 * t.latency_us;
  training.network.bytes_per_s = 1e9 / 8. * t.bandwidth_gbps;
  training.network.root = parse_root_transfers(t.root);
  if (!o.comm.empty()) read_measured_network(o.comm, training.network);

  if (t.ranks_per_node > *std::ranges::min_element(o.cores)) {
    throw flags.error("--ranks-per-node", "a rank has no core", "use fewer ranks or more --cores");
  }
  const int64_t most_ranks = t.ranks_per_node * *std::ranges::max_element(o.nodes);
  if (most_ranks > kMostRanks) {
    throw flags.error("--nodes", fmt::format("{} ranks are too many", most_ranks),
                      fmt::format("at most {}", kMostRanks));
  }
  if (most_ranks > 1 && training.network.bytes_per_s <= 0.) {
    throw flags.error("--bandwidth-gbps", "is required for several ranks",
                      "100 for a link of 100 Gbit/s");
  }
  if (!o.trace.empty()) {
    require_replaceable(o.trace, "--trace");
    if (!is_perfetto_path(o.trace) && !is_paraver_path(o.trace)) {
      throw flags.error("--trace", fmt::format("cannot write {}", o.trace),
                        fmt::format("the name must end in {}", kTimelineFiles));
    }
    if (o.scenarios() > 1) {
      throw flags.error("--trace", "several steps are simulated",
                        "name one --nodes, --cores, --dist and --exec");
    }
  }
  return true;
}

}  // namespace weft
