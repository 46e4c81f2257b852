// `weft bench tasks`: the time that each executor adds to an op.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/cli/executor_flags.h"
#include "app/cli/format.h"
#include "app/cli/live_line.h"
#include "app/cli/output_file.h"
#include "app/cli/precision_flag.h"
#include "app/cli/terminal.h"
#include "app/commands/bench/bench_options.h"
#include "base/json.h"
#include "exec/executor.h"
#include "measure/op_cost_measurement.h"
#include "measure/scheduling_overhead.h"
#include "measure/time_spread.h"
#include "measure/timed_step.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

struct TasksOptions : BenchOptions {
  int64_t threads = 0;
  int64_t steps = 3;
  std::string costs;  // a file
  bool compares = false;
};

bool parse(const Arguments& arguments, TasksOptions& o) {
  Options flags("bench tasks",
                "Runs the ops of a step with nothing in them, and as many that are independent or "
                "a chain, on each execution model: what remains is the cost of scheduling.");
  add_bench_flags(flags, o);
  add_threads_flag(flags, o.threads);
  add_precision_flag(flags, o.workload.precision);
  flags.integer("--steps", o.steps, {1, 1'000'000}, "Real steps to compare with");
  flags.text(
      "--costs", o.costs, "FILE",
      "Measures what each kind of op costs on 1, 2, 4, .. and --threads threads instead, and "
      "writes it for weft simulate");
  flags.flag("--compare", o.compares,
             "With --costs: times steps under each execution model in turn with those that are "
             "watched, to compare predictions with");
  if (!parse_workload_flags(flags, arguments, o)) return false;
  if (o.threads == 0) o.threads = available_cpus();
  if (!o.costs.empty()) require_replaceable(o.costs, "--costs");
  require_precision("bench", o.workload.precision);
  return true;
}

TimeSpread measure_steps(const Executor& executor, TimedStep& step, int64_t steps) {
  const std::unique_ptr<PreparedProgram> prepared = executor.prepare(step.program());
  step.run(*prepared);
  std::vector<double> seconds;
  for (int64_t i = 0; i < steps; ++i) seconds.push_back(step.run(*prepared));
  return spread_of(seconds);
}

struct ExecutorResult {
  std::string name;
  int threads = 1;
  Overhead step, independent, chain;
  TimeSpread real_step_s;

  double share() const { return step.run_s.median / real_step_s.median; }
};

struct TasksResult {
  size_t ops = 0;
  size_t tiles = 0;
  double build_s = 0.;
  std::vector<ExecutorResult> executors;

  double ns_per_op(const Overhead& overhead) const {
    return 1e9 * overhead.run_s.median / static_cast<double>(ops);
  }
};

// Returns 1, 2, 4, .. and `most`.
std::vector<int> thread_counts(int most) {
  std::vector<int> counts;
  for (int threads = 1; threads < most; threads *= 2) counts.push_back(threads);
  counts.push_back(most);
  return counts;
}

void write_costs(const TasksOptions& o, LiveLine& live) {
  const OpCosts costs =
      measure_costs(o.workload, {thread_counts(int(o.threads)), o.steps, o.compares},
                    [&](const std::string& what) { live.show([&] { return what; }); });
  write_result(o.costs, json_text(to_json(costs), 1) + "\n");
  for (const ThreadCosts& run : costs.runs) {
    fmt::print("{} threads: a step takes {:.2f} ms; {} kinds and sizes of ops\n", run.threads,
               1e3 * run.executors.at("tasks").step_s, run.kinds.size());
  }
}

TasksResult measure(const TasksOptions& o, LiveLine& live) {
  const int threads = static_cast<int>(o.threads);
  TimedStep step(o.workload, *make_executor("fork-join", threads));
  TasksResult result = {
      step.program().ops().size(), step.program().tiles().size(), step.build_seconds(), {}};
  const Program empty = emptied(step.program());
  const SyntheticProgram independent(result.ops, SyntheticProgram::Order::kIndependent);
  const SyntheticProgram chain(result.ops, SyntheticProgram::Order::kChain);
  for (const std::string& name : executor_names()) {
    live.show([&] { return fmt::format("executor {}", name); });
    const std::unique_ptr<Executor> executor = make_executor(name, threads);
    result.executors.push_back({name, executor->threads(), measure_overhead(*executor, empty),
                                measure_overhead(*executor, independent.program()),
                                measure_overhead(*executor, chain.program()),
                                measure_steps(*executor, step, o.steps)});
  }
  return result;
}

ordered_json to_json(const ExecutorResult& e, const TasksResult& r) {
  return {{"executor", e.name},
          {"threads", e.threads},
          {"prepare_ms", 1e3 * e.step.prepare_s},
          {"ns_per_op", r.ns_per_op(e.step)},
          {"ns_per_independent_op", r.ns_per_op(e.independent)},
          {"ns_per_chained_op", r.ns_per_op(e.chain)},
          {"empty_step_ms", 1e3 * e.step.run_s.median},
          {"step_ms", 1e3 * e.real_step_s.median},
          {"share", e.share()}};
}

void print_result_json(const TasksOptions& o, const TasksResult& r) {
  ordered_json json = bench_json("tasks", o.workload);
  json["ops"] = r.ops;
  json["tiles"] = r.tiles;
  json["build_ms"] = 1e3 * r.build_s;
  json["executors"] = ordered_json::array();
  for (const ExecutorResult& e : r.executors) json["executors"].push_back(to_json(e, r));
  print_json(json);
}

void print_table(const TasksOptions& o, const TasksResult& r) {
  fmt::print("{}, {} x {} tokens: {} ops on {} tiles, built in {:.1f} ms\n\n",
             to_string(o.workload.config), o.workload.B, o.workload.T,
             format_count(static_cast<int64_t>(r.ops)), format_count(static_cast<int64_t>(r.tiles)),
             1e3 * r.build_s);
  fmt::print("{:<11} {:>7} {:>11} {:>10} {:>12} {:>10} {:>11} {:>10} {:>8}\n", "executor",
             "threads", "prepare ms", "step ns/op", "independent", "chained", "empty ms", "step ms",
             "share");
  for (const ExecutorResult& e : r.executors) {
    fmt::print("{:<11} {:>7} {:>11.2f} {:>10.0f} {:>12.0f} {:>10.0f} {:>11.3f} {:>10.2f} {:>8}\n",
               e.name, e.threads, 1e3 * e.step.prepare_s, r.ns_per_op(e.step),
               r.ns_per_op(e.independent), r.ns_per_op(e.chain), 1e3 * e.step.run_s.median,
               1e3 * e.real_step_s.median, format_percent(e.share()));
  }
  fmt::print(
      "\nns/op: wall time by the number of ops, for the step's own graph, for ops that share\n"
      "nothing, and for ops that all write one tile. share: of a real step.\n");
}

}  // namespace

int bench_tasks(const Arguments& arguments) {
  TasksOptions o;
  if (!parse(arguments, o)) return 0;
  Terminal terminal;
  LiveLine live(terminal);
  if (!o.costs.empty()) {
    write_costs(o, live);
    return 0;
  }
  const TasksResult result = measure(o, live);
  if (o.as_json) {
    print_result_json(o, result);
  } else {
    print_table(o, result);
  }
  return 0;
}

}  // namespace weft
