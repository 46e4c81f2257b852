#include "app/commands/scaling/scaling_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "app/cli/format.h"
#include "timeline/efficiency.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

// Returns the cost of a step from the output of `weft bench step`.
WorkCost step_cost(const ordered_json& step) {
  WorkCost cost{.useful_s = 1e-3 * step.at("efficiency").at("useful_ms").get<double>(),
                .amount = step.at("tokens_per_step").get<double>(),
                .counts = {}};
  const ordered_json& counters = step.at("counters");
  if (counters.contains("cycles")) {
    cost.counts = {counters.at("instructions").get<double>(), counters.at("cycles").get<double>()};
  }
  return cost;
}

// Adds the scalability: the cost of the work in the reference as a share of its cost here.
void add_scalability(ordered_json& object, const Scalability& s) {
  object["computation"] = s.computation;
  if (!s.parts) return;
  object["instructions"] = s.parts->instructions;
  object["instructions_per_cycle"] = s.parts->ipc;
  object["frequency"] = s.parts->frequency;
}

ordered_json efficiency_json(const ordered_json& step, const ordered_json& reference) {
  ordered_json json = step.at("efficiency");
  add_scalability(json, scalability(step_cost(reference), step_cost(step)));
  json["global"] = json["parallel"].get<double>() * json["computation"].get<double>();
  return json;
}

// Adds the scalability of each phase that the reference has, too.
ordered_json phases_json(const ordered_json& step, const ordered_json& reference) {
  ordered_json json = step.at("phases");
  const double growth =
      step.at("tokens_per_step").get<double>() / reference.at("tokens_per_step").get<double>();
  for (auto& [name, phase] : json.items()) {
    const double ms = phase.at("thread_ms");
    if (!reference.at("phases").contains(name) || ms <= 0.) continue;
    const double reference_ms = reference.at("phases").at(name).at("thread_ms");
    if (reference_ms > 0.) phase["computation"] = growth * reference_ms / ms;
  }
  return json;
}

ordered_json point_json(const ScalingResult& r, const ScalingResult& reference) {
  const ordered_json step = ordered_json::parse(r.middle);
  const ordered_json base = ordered_json::parse(reference.middle);
  return {
      {"executor", r.point.executor},
      {"ranks", r.point.ranks},
      {"threads", r.point.threads},
      {"tokens_per_step", step.at("tokens_per_step")},
      {"step_ms",
       {{"min", std::ranges::min(r.step_ms)},
        {"median", step.at("step_ms").at("median")},
        {"max", std::ranges::max(r.step_ms)},
        {"rounds", r.step_ms}}},
      {"tokens_per_s", step.at("tokens_per_s")},
      {"speed_up", step.at("tokens_per_s").get<double>() / base.at("tokens_per_s").get<double>()},
      {"efficiency", efficiency_json(step, base)},
      {"phases", phases_json(step, base)},
      {"counters", step.at("counters")}};
}

std::string name_of(const ordered_json& point) {
  return fmt::format("{:<11} {:>5} {:>7}", point["executor"].get<std::string>(),
                     point["ranks"].get<int64_t>(), point["threads"].get<int64_t>());
}

// Returns a share of 1 as per cent, aligned right in its column; blank where there is none.
std::string percent_at(const ordered_json& object, const char* key, size_t width) {
  const std::string text = object.contains(key) ? format_percent(object.at(key).get<double>()) : "";
  return fmt::format(" {:>{}}", text, width);
}

constexpr const char* kPoint = "executor    ranks threads";

void print_times(const ordered_json& points) {
  fmt::print("\n{} {:>10} {:>10} {:>10} {:>10} {:>9}\n", kPoint, "step ms", "least ms", "most ms",
             "tokens/s", "speed-up");
  for (const ordered_json& p : points) {
    const ordered_json& ms = p["step_ms"];
    fmt::print("{} {:>10.2f} {:>10.2f} {:>10.2f} {:>10} {:>9.2f}\n", name_of(p),
               ms["median"].get<double>(), ms["min"].get<double>(), ms["max"].get<double>(),
               format_count(static_cast<int64_t>(p["tokens_per_s"].get<double>())),
               p["speed_up"].get<double>());
  }
}

struct Column {
  const char* key;
  const char* heading;
};

// Prints shares of the object that pick(point) returns.
template <size_t N, typename Pick>
void print_shares(const ordered_json& points, const std::array<Column, N>& columns,
                  const Pick& pick) {
  fmt::print("\n{}", kPoint);
  for (const Column& c : columns) fmt::print(" {:>13}", c.heading);
  fmt::print("\n");
  for (const ordered_json& p : points) {
    fmt::print("{}", name_of(p));
    for (const Column& c : columns) fmt::print("{}", percent_at(pick(p), c.key, 13));
    fmt::print("\n");
  }
}

void print_efficiencies(const ordered_json& points) {
  constexpr std::array<Column, 7> kColumns = {{{"global", "global"},
                                               {"computation", "computation"},
                                               {"parallel", "parallel"},
                                               {"load_balance", "load balance"},
                                               {"communication", "communication"},
                                               {"serialization", "serialization"},
                                               {"transfer", "transfer"}}};
  print_shares(points, kColumns, [](const ordered_json& p) { return p["efficiency"]; });
  fmt::print(
      "global = computation x parallel, parallel = load balance x communication,\n"
      "communication = serialization x transfer\n");
}

void print_counters(const ordered_json& points) {
  if (!points.front()["efficiency"].contains("frequency")) {
    const ordered_json& counters = points.front()["counters"];
    if (counters.contains("not_available")) {
      fmt::print("\nhardware counters: {}\n", counters["not_available"].get<std::string>());
    }
    return;
  }
  constexpr std::array<Column, 4> kColumns = {{{"computation", "computation"},
                                               {"instructions", "instructions"},
                                               {"instructions_per_cycle", "per cycle"},
                                               {"frequency", "frequency"}}};
  print_shares(points, kColumns, [](const ordered_json& p) { return p["efficiency"]; });
  fmt::print("computation = instructions x instructions per cycle x frequency\n");
}

void print_hybrid(const ordered_json& points) {
  const auto has_ranks = [](const ordered_json& p) { return p["ranks"].get<int64_t>() > 1; };
  if (!std::ranges::any_of(points, has_ranks)) return;
  constexpr std::array<Column, 4> kColumns = {{{"ranks_x", "ranks x"},
                                               {"threads_x", "threads"},
                                               {"ranks_plus", "ranks +"},
                                               {"threads_plus", "threads - 1"}}};
  print_shares(points, kColumns, [](const ordered_json& p) {
    const ordered_json& e = p["efficiency"];
    return ordered_json{{"ranks_x", e["multiplicative"]["process"]["parallel"]},
                        {"threads_x", e["multiplicative"]["thread"]["parallel"]},
                        {"ranks_plus", e["additive"]["process"]},
                        {"threads_plus", e["additive"]["thread"]}};
  });
  fmt::print("parallel = ranks x threads (multiplicative) = ranks + threads - 1 (additive)\n");
}

void print_phases(const ordered_json& points) {
  fmt::print("\n{} {:<14} {:>11} {:>11} {:>11} {:>11}\n", kPoint, "phase", "thread ms", "idle ms",
             "efficiency", "computation");
  for (const ordered_json& p : points) {
    for (const auto& [name, phase] : p["phases"].items()) {
      fmt::print("{} {:<14} {:>11.2f} {:>11.2f}{}{}\n", name_of(p), name,
                 phase["thread_ms"].get<double>(), phase["idle_ms"].get<double>(),
                 percent_at(phase, "efficiency", 11), percent_at(phase, "computation", 11));
    }
  }
}

}  // namespace

ordered_json scaling_json(const ScalingOptions& o, const std::vector<ScalingResult>& results) {
  std::vector<ScalingPoint> points;
  points.reserve(results.size());
  for (const ScalingResult& r : results) points.push_back(r.point);
  const size_t reference = reference_of(points);
  ordered_json json = bench_json("scaling", o.workload);
  json.update({{"precision", precision_name(o.workload.precision)},
               {"recompute", o.recompute},
               {"dist", o.distribution.strategy},
               {"scaling", o.strong ? "strong" : "weak"},
               {"steps", o.steps},
               {"rounds", o.rounds},
               {"reference", reference},
               {"configurations", ordered_json::array()}});
  for (const ScalingResult& r : results) {
    json["configurations"].push_back(point_json(r, results[reference]));
  }
  return json;
}

void print_scaling(const ordered_json& s) {
  const ordered_json& points = s["configurations"];
  const ordered_json& reference = points[s["reference"].get<size_t>()];
  fmt::print("{}, {} x {} tokens a step {}, {}\n", s["model"].get<std::string>(),
             s["batch_size"].get<int64_t>(), s["seq_len"].get<int64_t>(),
             s["scaling"] == "strong" ? "in all" : "on each rank",
             s["precision"].get<std::string>());
  fmt::print("{}, {} CPUs; ranks exchange by {}\n", s["cpu"].get<std::string>(),
             s["cpus"].get<int64_t>(), s["dist"].get<std::string>());
  const ScalingPoint point = {reference["executor"].get<std::string>(),
                              reference["ranks"].get<int64_t>(),
                              reference["threads"].get<int64_t>()};
  fmt::print("medians of {} rounds of {} steps; reference: {}\n", s["rounds"].get<int64_t>(),
             s["steps"].get<int64_t>(), to_string(point));
  print_times(points);
  print_efficiencies(points);
  print_counters(points);
  print_hybrid(points);
  print_phases(points);
}

}  // namespace weft
