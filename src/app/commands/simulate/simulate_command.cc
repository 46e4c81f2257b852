// `weft simulate`: predicts the time of a training step on other cores, nodes and links.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "app/cli/format.h"
#include "app/cli/live_line.h"
#include "app/cli/precision_flag.h"
#include "app/cli/terminal.h"
#include "app/command_table.h"
#include "app/commands/simulate/simulate_options.h"
#include "base/error.h"
#include "exec/executor.h"
#include "measure/machine.h"
#include "measure/op_cost_measurement.h"
#include "predict/prediction.h"
#include "timeline/timeline_file.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

// Measures the costs with as many threads as the scenarios have cores, as far as this machine has
// them.
OpCosts costs_for(const SimulateOptions& o, LiveLine& live) {
  if (!o.costs.empty()) {
    const std::string precision = precision_name(o.workload.precision);
    OpCosts costs = read_op_costs(o.costs);
    if (costs.precision == precision) return costs;
    throw input_error("simulate",
                      fmt::format("--costs: {} has costs of {}, not of --precision {}", o.costs,
                                  costs.precision, precision),
                      "measure them with weft bench tasks --costs FILE --precision ..");
  }
  std::vector<int> threads;
  for (const int cores : o.cores) {
    threads.push_back(std::min(cores / o.training.ranks_per_node, available_cpus()));
  }
  for (const std::string& exec : o.execs) {
    if (!executor_traits(exec).is_parallel()) threads.push_back(1);
  }
  std::ranges::sort(threads);
  threads.erase(std::unique(threads.begin(), threads.end()), threads.end());
  return measure_costs(with_few_layers(o.workload), {threads, o.steps},
                       [&](const std::string& what) { live.show([&] { return what; }); });
}

std::vector<Prediction> predict_all(const SimulateOptions& o, const OpCosts& costs,
                                    Timeline* timeline, LiveLine& live) {
  Predictor predictor(o.training, costs);
  std::vector<Prediction> predictions;
  for (const std::string& dist : o.dists) {
    for (const int nodes : o.nodes) {
      for (const int cores : o.cores) {
        for (const std::string& exec : o.execs) {
          live.show([&] { return fmt::format("{} nodes, {}, {}", nodes, dist, exec); });
          predictions.push_back(predictor.predict({nodes, cores, dist, exec}, timeline));
        }
      }
    }
  }
  return predictions;
}

// ---- Results.

double hidden_share(const Prediction& p) {
  return p.communication_s > 0. ? p.hidden_s / p.communication_s : 0.;
}

// Tokens per second and core, against the first prediction of the same strategy and executor.
double scaling(const Prediction& p, const std::vector<Prediction>& all) {
  const auto per_core = [](const Prediction& q) {
    return q.tokens_per_s / (double(q.scenario.nodes) * q.scenario.cores);
  };
  const Prediction& first = *std::ranges::find_if(all, [&](const Prediction& q) {
    return q.scenario.dist == p.scenario.dist && q.scenario.exec == p.scenario.exec;
  });
  return per_core(p) / per_core(first);
}

ordered_json to_json(const Prediction& p, const std::vector<Prediction>& all) {
  const RankMemory& m = p.memory;
  ordered_json kinds = ordered_json::object();
  for (const auto& [kind, seconds] : p.critical_path_kinds) kinds[kind] = 1e3 * seconds;
  return {{"nodes", p.scenario.nodes},
          {"cores", p.scenario.cores},
          {"ranks", p.ranks},
          {"dist", p.ranks > 1 ? ordered_json(p.scenario.dist) : ordered_json()},
          {"executor", p.scenario.exec},
          {"cost_threads", p.cost_threads},
          {"step_ms", 1e3 * p.step_s},
          {"tokens_per_s", p.tokens_per_s},
          {"efficiency", p.efficiency},
          {"scaling", scaling(p, all)},
          {"critical_path_ms", 1e3 * p.critical_path_s},
          {"critical_path_kinds_ms", kinds},
          {"comm_ms", 1e3 * p.communication_s},
          {"hidden_comm_ms", 1e3 * p.hidden_s},
          {"transferred_bytes", p.transferred_bytes},
          {"memory_bytes",
           {{"all", m.all()},
            {"weights", m.weights},
            {"gradients", m.gradients},
            {"moments", m.moments},
            {"activations_and_buffers", m.rest}}},
          {"unmeasured_kinds", p.unmeasured_kinds}};
}

void print_result_json(const SimulateOptions& o, const OpCosts& costs,
                       const std::vector<Prediction>& predictions) {
  const SimulatedTraining& t = o.training;
  std::vector<int> threads;
  for (const ThreadCosts& run : costs.runs) threads.push_back(run.threads);
  ordered_json json = {
      {"command", "simulate"},
      {"version", version()},
      {"commit", git_commit()},
      {"model", to_string(o.workload.config)},
      {"batch_size", o.workload.B},
      {"seq_len", o.workload.T},
      {"precision", precision_name(o.workload.precision)},
      {"ranks_per_node", t.ranks_per_node},
      {"bucket_mb", t.bucket_mb},
      {"overlap", t.overlap},
      {"link_bytes_per_s", t.network.bytes_per_s},
      {"latency_us", 1e6 * t.network.latency_s},
      {"memory_bytes_per_s",
       t.memory_bytes_per_s > 0. ? ordered_json(t.memory_bytes_per_s) : ordered_json()},
      {"costs",
       {{"cpu", costs.cpu},
        {"model", costs.model},
        {"batch_size", costs.B},
        {"seq_len", costs.T},
        {"threads", threads}}},
      {"predictions", ordered_json::array()}};
  for (const Prediction& p : predictions) json["predictions"].push_back(to_json(p, predictions));
  print_json(json);
}

void print_table(const SimulateOptions& o, const OpCosts& costs,
                 const std::vector<Prediction>& predictions) {
  fmt::print("{}, {} x {} tokens a rank, {}\n", to_string(o.workload.config), o.workload.B,
             o.workload.T, precision_name(o.workload.precision));
  fmt::print("costs measured on {}: {}, {} x {} tokens\n\n", single_line(costs.cpu),
             single_line(costs.model), costs.B, costs.T);
  fmt::print("{:>5} {:>5} {:<10} {:<10} {:>10} {:>10} {:>8} {:>8} {:>10} {:>9} {:>8} {:>9}\n",
             "nodes", "cores", "dist", "exec", "step ms", "tokens/s", "busy", "scaling", "path ms",
             "comm ms", "hidden", "memory");
  for (const Prediction& p : predictions) {
    const bool sends = p.communication_s > 0.;
    fmt::print(
        "{:>5} {:>5} {:<10} {:<10} {:>10.2f} {:>10} {:>8} {:>8} {:>10.2f} {:>9} {:>8} {:>9}\n",
        p.scenario.nodes, p.scenario.cores, p.ranks > 1 ? p.scenario.dist : "-", p.scenario.exec,
        1e3 * p.step_s, format_count(int64_t(std::min(p.tokens_per_s, 1e18))),
        format_percent(p.efficiency), format_percent(scaling(p, predictions)),
        1e3 * p.critical_path_s, sends ? fmt::format("{:.2f}", 1e3 * p.communication_s) : "-",
        sends ? format_percent(hidden_share(p)) : "-", format_bytes(p.memory.all()));
  }
  fmt::print(
      "\nbusy: share of the cores' time in ops. scaling: tokens/s per core, against the first row\n"
      "of the same dist and exec. path: the step on any number of cores, at least. memory: of a\n"
      "rank. docs/simulation.md says what is assumed.\n");
}

// Notes where predictions rest on measurements of fewer threads or of fewer kinds of ops.
void print_notes(const SimulateOptions& o, const std::vector<Prediction>& predictions,
                 Terminal& terminal) {
  std::set<std::string> unmeasured;
  int most_cores = 0, threads = 0;
  for (const Prediction& p : predictions) {
    unmeasured.insert(p.unmeasured_kinds.begin(), p.unmeasured_kinds.end());
    const bool is_parallel = executor_traits(p.scenario.exec).is_parallel();
    const int cores = is_parallel ? p.scenario.cores / (p.ranks / p.scenario.nodes) : 1;
    if (cores > p.cost_threads && cores > most_cores) {
      most_cores = cores;
      threads = p.cost_threads;
    }
  }
  if (most_cores > 0) {
    terminal.line(fmt::format("note: ops on {} cores cost what they cost on {} threads here{}",
                              most_cores, threads,
                              o.training.memory_bytes_per_s > 0.
                                  ? ""
                                  : ", as if memory kept up; --memory-gb-per-s bounds it"));
  }
  if (unmeasured.empty()) return;
  std::string kinds;
  for (const std::string& kind : unmeasured) kinds += (kinds.empty() ? "" : ", ") + kind;
  terminal.line(fmt::format("note: not measured, and cost what their bytes do: {}", kinds));
}

}  // namespace

int simulate_command(const Arguments& arguments) {
  SimulateOptions o;
  if (!parse_simulate_options(arguments, o)) return 0;
  require_precision("simulate", o.workload.precision);
  Terminal terminal;
  LiveLine live(terminal);
  const OpCosts costs = costs_for(o, live);
  Timeline timeline;
  const std::vector<Prediction> predictions =
      predict_all(o, costs, o.trace.empty() ? nullptr : &timeline, live);
  if (!o.trace.empty()) write_timeline(o.trace, timeline);
  print_notes(o, predictions, terminal);
  if (o.as_json) {
    print_result_json(o, costs, predictions);
  } else {
    print_table(o, costs, predictions);
  }
  return 0;
}

}  // namespace weft
