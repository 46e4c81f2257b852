#include "app/commands/scaling/scaling_sweep.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/executor_flags.h"
#include "app/cli/format.h"
#include "app/commands/scaling/child_process.h"
#include "base/json.h"
#include "comm/connect.h"
#include "comm/launcher.h"

namespace weft {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr const char* kWhere = "scaling";

std::string counted(int64_t n, const char* one) {
  return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// Idle threads sleep, because other ranks may need their CPU. Open MPI must be told to start ranks
// as root, to start more ranks than there are CPUs, and not to bind all threads of a rank to one
// core.
std::vector<std::string> environment_of_ranks() {
  std::vector<std::string> variables = {"OMP_WAIT_POLICY=passive",
                                        "OMPI_MCA_rmaps_base_oversubscribe=1",
                                        "OMPI_MCA_hwloc_base_binding_policy=none"};
  if (geteuid() == 0) {
    variables.insert(variables.end(),
                     {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"});
  }
  return variables;
}

void check_ranks(const ScalingOptions& o) {
  if (find_launch().size > 1) {
    throw input_error(kWhere, "this is one of several ranks already",
                      "start weft scaling without mpirun or srun: it starts the ranks itself");
  }
  const int64_t most = std::ranges::max(o.ranks);
  if (most == 1) return;
  if (mpi_library() == "none") {
    throw input_error(kWhere, fmt::format("--ranks {}: weft was built without MPI", most),
                      "leave --ranks out, or build with -D WEFT_MPI=openmpi");
  }
  const std::vector<std::string> launcher = words_of(o.launcher);
  if (launcher.empty() || find_program(launcher[0]).empty()) {
    throw input_error(kWhere, fmt::format("--ranks {}: cannot find '{}'", most, o.launcher),
                      "name the program that starts ranks with --launcher");
  }
  for (const int64_t ranks : o.ranks) {
    if (!o.strong || o.workload.B % ranks == 0) continue;
    throw input_error(
        kWhere, fmt::format("--batch-size {} cannot be shared by {} ranks", o.workload.B, ranks),
        "use a multiple, or --weak for so many sequences on each rank");
  }
}

// Returns the first error of weft in the output, or else its last line.
std::string complaint(const std::string& err) {
  constexpr std::string_view kError = "weft: error: ";
  std::istringstream lines(err);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    const size_t error = line.find(kError);
    if (error != std::string::npos) return line.substr(error + kError.size());
    if (!line.empty()) last = line;
  }
  return last.empty() ? "it did not say why" : last;
}

ordered_json run_point(const ScalingPoint& point, const ScalingOptions& o) {
  const std::vector<std::string> command = command_of(point, o, this_program());
  const ChildResult result = run_child(command, environment_of_ranks());
  if (result.status != 0) {
    throw failure(kWhere, fmt::format("{}: {} ended with status {}: {}", to_string(point),
                                      command.front(), result.status, complaint(result.err)));
  }
  try {
    ordered_json json = ordered_json::parse(result.out);
    if (json.at("ranks") == point.ranks) return json;
  } catch (const ordered_json::exception&) {
  }
  throw failure(kWhere,
                fmt::format("{}: weft bench step did not run on so many ranks", to_string(point)),
                "--launcher must start ranks of the MPI library that weft --version names");
}

double median_step_ms(const ordered_json& json) { return json.at("step_ms").at("median"); }

}  // namespace

std::string to_string(const ScalingPoint& point) {
  return fmt::format("{}, {} x {}", point.executor, counted(point.ranks, "rank"),
                     counted(point.threads, "thread"));
}

std::vector<ScalingPoint> scaling_points(const ScalingOptions& o) {
  std::vector<ScalingPoint> points;
  for (const std::string& executor : o.executors) {
    const bool has_threads = executor_traits(executor).is_parallel();
    for (const int64_t ranks : o.ranks) {
      for (const int64_t threads : has_threads ? o.threads : std::vector<int64_t>{1}) {
        points.push_back({executor, ranks, threads});
      }
    }
  }
  return points;
}

size_t reference_of(const std::vector<ScalingPoint>& points) {
  const auto least = std::ranges::min_element(points, {}, &ScalingPoint::workers);
  return static_cast<size_t>(least - points.begin());
}

std::vector<std::string> command_of(const ScalingPoint& point, const ScalingOptions& o,
                                    const std::string& program) {
  std::vector<std::string> command;
  if (point.ranks > 1) {
    command = words_of(o.launcher);
    command.insert(command.end(), {"-n", fmt::format("{}", point.ranks)});
  }
  const int64_t B = o.strong ? o.workload.B / point.ranks : o.workload.B;
  command.insert(command.end(), {program,        "bench",
                                 "step",         "--json",
                                 "--model",      o.model,
                                 "--batch-size", fmt::format("{}", B),
                                 "--seq-len",    fmt::format("{}", o.workload.T),
                                 "--exec",       point.executor,
                                 "--threads",    fmt::format("{}", point.threads),
                                 "--precision",  precision_name(o.workload.precision),
                                 "--recompute",  o.recompute,
                                 "--dist",       o.distribution.strategy,
                                 "--bucket-mb",  fmt::format("{}", o.distribution.bucket_mb),
                                 "--steps",      fmt::format("{}", o.steps)});
  return command;
}

std::vector<ScalingResult> run_sweep(const ScalingOptions& o, Terminal& terminal) {
  check_ranks(o);
  const int64_t most = std::ranges::max(scaling_points(o), {}, &ScalingPoint::workers).workers();
  if (most > available_cpus()) {
    terminal.line(fmt::format("note: {} threads on {} CPUs take turns", most, available_cpus()));
  }
  std::vector<ScalingResult> results;
  for (const ScalingPoint& point : scaling_points(o)) results.push_back({point, {}, {}});
  std::vector<std::vector<ordered_json>> printed(results.size());
  for (int64_t round = 1; round <= o.rounds; ++round) {
    for (size_t i = 0; i < results.size(); ++i) {
      const std::string what =
          fmt::format("round {}/{}  {}", round, o.rounds, to_string(results[i].point));
      terminal.live(what);
      const Clock::time_point start = Clock::now();
      printed[i].push_back(run_point(results[i].point, o));
      results[i].step_ms.push_back(median_step_ms(printed[i].back()));
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      terminal.line(fmt::format("{}: {:.2f} ms a step, run in {:.1f} s", what,
                                results[i].step_ms.back(), seconds));
    }
  }
  for (size_t i = 0; i < results.size(); ++i) {
    const auto middle = printed[i].begin() + ptrdiff_t((printed[i].size() - 1) / 2);
    std::ranges::nth_element(printed[i], middle, {}, median_step_ms);
    results[i].middle = json_text(*middle);
  }
  return results;
}

}  // namespace weft
