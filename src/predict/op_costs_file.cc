// Reads and writes the file of op costs. docs/simulation.md#costs
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "exec/executor.h"
#include "predict/op_costs.h"

namespace weft {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kWhere = "costs";
constexpr const char* kFormat = "weft costs 1";
constexpr const char* kHint = "weft bench tasks --costs FILE writes one";
// Generous limits, so that sums and products of the file's values stay finite.
constexpr double kLargest = 1e18;
constexpr double kLeastMicroseconds = 1e-3;
constexpr size_t kMostEntries = 100'000;

[[noreturn]] void refuse(const std::string& what) { throw input_error(kWhere, what, kHint); }

const json& member(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name)) refuse(fmt::format("{} is missing", name));
  return object[name];
}

std::string text(const json& object, const char* name) {
  const json& value = member(object, name);
  if (!value.is_string()) refuse(fmt::format("{} is no text", name));
  return value.get<std::string>();
}

double number(const json& object, const char* name, double least = 0.) {
  const json& value = member(object, name);
  if (!value.is_number()) refuse(fmt::format("{} is no number", name));
  const auto x = value.get<double>();
  if (!(least <= x && x <= kLargest)) {
    refuse(fmt::format("{} is not in [{}, {}]", name, least, kLargest));
  }
  return x;
}

int64_t whole(const json& object, const char* name) {
  const double x = number(object, name, 1.);
  if (x != std::floor(x) || x > 1e9) refuse(fmt::format("{} is no count", name));
  return int64_t(x);
}

const json& list(const json& object, const char* name) {
  const json& value = member(object, name);
  if (!value.is_array() || value.empty() || value.size() > kMostEntries) {
    refuse(fmt::format("{} is no list of 1 to {} entries", name, kMostEntries));
  }
  return value;
}

SchedulingCost read_scheduling(const json& object) {
  return {1e-6 * number(object, "op_us"), 1e-6 * number(object, "barrier_us"),
          1e-3 * number(object, "step_ms")};
}

ThreadCosts read_run(const json& object) {
  ThreadCosts run;
  run.threads = int(whole(object, "threads"));
  run.peak_flops = number(object, "peak_flops");
  run.memory_bytes_per_s = number(object, "memory_bytes_per_s", 1.);
  const json& executors = member(object, "executors");
  for (const std::string& name : simulated_executor_names()) {
    run.executors[name] = read_scheduling(member(executors, name.c_str()));
  }
  for (const json& entry : list(object, "kinds")) {
    run.kinds.push_back({{text(entry, "kind"), number(entry, "flops"), number(entry, "bytes")},
                         whole(entry, "ops"),
                         1e-6 * number(entry, "us", kLeastMicroseconds)});
  }
  return run;
}

}  // namespace

ordered_json to_json(const OpCosts& costs) {
  ordered_json json = {
      {"format", kFormat},  {"version", costs.version},     {"commit", costs.commit},
      {"cpu", costs.cpu},   {"model", costs.model},         {"batch_size", costs.B},
      {"seq_len", costs.T}, {"precision", costs.precision}, {"runs", ordered_json::array()}};
  for (const ThreadCosts& run : costs.runs) {
    ordered_json executors, kinds = ordered_json::array();
    for (const auto& [name, cost] : run.executors) {
      executors[name] = {{"op_us", 1e6 * cost.op_s},
                         {"barrier_us", 1e6 * cost.barrier_s},
                         {"step_ms", 1e3 * cost.step_s}};
    }
    for (const KindCost& cost : run.kinds) {
      kinds.push_back({{"kind", cost.work.kind},
                       {"flops", cost.work.flops},
                       {"bytes", cost.work.bytes},
                       {"ops", cost.ops},
                       {"us", 1e6 * cost.seconds}});
    }
    json["runs"].push_back({{"threads", run.threads},
                            {"peak_flops", run.peak_flops},
                            {"memory_bytes_per_s", run.memory_bytes_per_s},
                            {"executors", executors},
                            {"kinds", kinds}});
  }
  return json;
}

OpCosts read_op_costs(const std::filesystem::path& path) {
  const json file = read_json_object(path, kWhere);
  if (text(file, "format") != kFormat) refuse(fmt::format("the format is not '{}'", kFormat));
  OpCosts costs;
  costs.version = text(file, "version");
  costs.commit = text(file, "commit");
  costs.cpu = text(file, "cpu");
  costs.model = text(file, "model");
  costs.precision = text(file, "precision");
  costs.B = whole(file, "batch_size");
  costs.T = whole(file, "seq_len");
  for (const json& run : list(file, "runs")) {
    costs.runs.push_back(read_run(run));
    if (costs.runs.size() > 1 && costs.runs.end()[-2].threads >= costs.runs.back().threads) {
      refuse("runs are not in the order of their threads");
    }
  }
  return costs;
}

}  // namespace weft
