// `weft scaling`: measures how a training step scales with threads and ranks, and what it loses.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/executor_flags.h"
#include "app/cli/output_file.h"
#include "app/cli/precision_flag.h"
#include "app/cli/strategy_flags.h"
#include "app/command_table.h"
#include "app/commands/scaling/scaling_report.h"
#include "app/commands/scaling/scaling_sweep.h"
#include "base/json.h"

namespace weft {
namespace {

constexpr int64_t kMost = 4096;  // ranks, and threads of each

std::vector<std::string> items_of(const std::string& list) {
  std::istringstream stream(list);
  std::vector<std::string> items;
  for (std::string item; std::getline(stream, item, ',');) items.push_back(item);
  return items;
}

// Returns each number once, in rising order.
std::vector<int64_t> parse_numbers(const Options& flags, const char* flag,
                                   const std::string& list) {
  std::vector<int64_t> numbers;
  for (const std::string& item : items_of(list)) {
    int64_t n = 0;
    const char* end = item.data() + item.size();
    const auto [stop, error] = std::from_chars(item.data(), end, n);
    if (stop != end || error != std::errc() || n < 1 || n > kMost) {
      throw flags.error(flag, fmt::format("'{}' is not a number from 1 to {}", item, kMost),
                        "give numbers with commas between, for example 1,2,4");
    }
    numbers.push_back(n);
  }
  if (numbers.empty()) throw flags.error(flag, "the list is empty", "for example 1,2,4");
  std::ranges::sort(numbers);
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

std::vector<std::string> parse_executors(const Options& flags, const std::string& list) {
  std::vector<std::string> known = executor_names();
  if (list == "all") return known;
  std::vector<std::string> names;
  for (const std::string& item : items_of(list)) {
    if (std::ranges::find(known, item) == known.end()) {
      throw flags.error("--exec", fmt::format("'{}' is not supported", item),
                        fmt::format("did you mean {}?", nearest_name(item, known)));
    }
    if (std::ranges::find(names, item) == names.end()) names.push_back(item);
  }
  if (names.empty())
    throw flags.error("--exec", "the list is empty", "for example fork-join,tasks");
  return names;
}

// Lists the powers of two below the number of CPUs, and that number.
std::string usual_threads() {
  std::string list;
  const int cpus = available_cpus();
  for (int n = 1; n < cpus; n *= 2) list += fmt::format("{},", n);
  return list + fmt::format("{}", cpus);
}

bool parse(const Arguments& arguments, ScalingOptions& o) {
  std::string threads = usual_threads(), ranks = "1", executors = "tasks";
  Options flags("scaling",
                "Times training steps with more and more threads and ranks, and says what share "
                "of the threads' time is useful, and why not all of it. Each configuration runs "
                "weft bench step in processes of its own, in rounds.");
  add_workload_flags(flags, o);
  flags.text("--threads", threads, "N,N..", "Threads of each rank");
  flags.text("--ranks", ranks, "N,N..", "Ranks");
  flags.text("--exec", executors, "all|NAME,..",
             fmt::format("Execution models: {}", fmt::join(executor_names(), ", ")));
  flags.flag("--strong,!--weak", o.strong,
             "--batch-size is of all ranks together, or of each of them");
  add_precision_flag(flags, o.workload.precision);
  add_recompute_flag(flags, o.recompute);
  add_strategy_flags(flags, o.distribution.strategy, o.distribution.bucket_mb);
  flags.integer("--steps", o.steps, {1, 1'000'000}, "Steps that a run times");
  flags.integer("--rounds", o.rounds, {1, 1000}, "Runs of each configuration, taken in turn");
  flags.text("--launcher", o.launcher, "COMMAND",
             "What starts ranks, with its flags; -n and their number follow");
  flags.text("--json", o.json, "FILE", "Write everything as a JSON object");
  if (!parse_workload_flags(flags, arguments, o)) return false;
  o.threads = parse_numbers(flags, "--threads", threads);
  o.ranks = parse_numbers(flags, "--ranks", ranks);
  o.executors = parse_executors(flags, executors);
  if (!o.json.empty()) require_replaceable(o.json, "--json");
  return true;
}

}  // namespace

int scaling_command(const Arguments& arguments) {
  ScalingOptions o;
  if (!parse(arguments, o)) return 0;
  Terminal terminal;
  const nlohmann::ordered_json json = scaling_json(o, run_sweep(o, terminal));
  if (!o.json.empty()) write_result(o.json, json_text(json, 2) + "\n");
  print_scaling(json);
  return 0;
}

}  // namespace weft
