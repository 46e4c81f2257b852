#include "app/cli/efficiency_output.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/cli/format.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

ordered_json level_json(const MultiplicativeModel::Level& level) {
  return {{"parallel", level.parallel},
          {"load_balance", level.load_balance},
          {"communication", level.communication}};
}

// Shares of the time of all workers.
double share_of(const PhaseTime& time, const Activity& activity) {
  return time.busy_s / (activity.run_s * static_cast<double>(activity.workers()));
}

double ms_per_step(double seconds, const Activity& activity) {
  return 1e3 * seconds / static_cast<double>(activity.steps);
}

// Calls each(name, time) for the phases that took any time.
template <typename Each>
void for_each_phase(const Activity& activity, const Each& each) {
  for (size_t i = 0; i < kPhases; ++i) {
    const PhaseTime& time = activity.phases[i];
    if (time.busy_s + time.idle_s > 0.) each(phase_name(static_cast<Phase>(i)), time);
  }
}

}  // namespace

ordered_json to_json(const PopMetrics& pop) {
  return {{"parallel", pop.parallel},
          {"load_balance", pop.load_balance},
          {"communication", pop.communication},
          {"serialization", pop.serialization},
          {"transfer", pop.transfer}};
}

ordered_json to_json(const MultiplicativeModel& model) {
  return {{"hybrid", level_json(model.hybrid)},
          {"process", level_json(model.process)},
          {"thread", level_json(model.thread)}};
}

ordered_json to_json(const AdditiveModel& model) {
  return {{"process", model.process},
          {"process_load_balance", model.process_load_balance},
          {"process_communication", model.process_communication},
          {"thread", model.thread}};
}

ordered_json to_json(const Efficiency& e) {
  ordered_json json = {{"steps", e.activity.steps},
                       {"run_ms", ms_per_step(e.activity.run_s, e.activity)},
                       {"ideal_run_ms", ms_per_step(e.ideal_run_s, e.activity)},
                       {"useful_ms", ms_per_step(e.activity.useful_sum_s(), e.activity)}};
  json.update(to_json(e.pop));
  json["multiplicative"] = to_json(e.multiplicative);
  json["additive"] = to_json(e.additive);
  return json;
}

ordered_json phases_json(const Activity& activity) {
  ordered_json json = ordered_json::object();
  for_each_phase(activity, [&](const char* name, const PhaseTime& time) {
    json[name] = {{"thread_ms", ms_per_step(time.busy_s, activity)},
                  {"share", share_of(time, activity)},
                  {"idle_ms", ms_per_step(time.idle_s, activity)},
                  {"efficiency", time.efficiency()}};
  });
  return json;
}

ordered_json counters_json(const std::optional<HardwareCounts>& per_step,
                           const std::string& why_not) {
  if (!per_step) return {{"not_available", why_not}};
  return {{"instructions", per_step->instructions},
          {"cycles", per_step->cycles},
          {"instructions_per_cycle", per_step->ipc()}};
}

std::string describe(const PopMetrics& pop) {
  return fmt::format(
      "{} parallel = {} load balance x {} communication ({} serialization x {} transfer)",
      format_percent(pop.parallel), format_percent(pop.load_balance),
      format_percent(pop.communication), format_percent(pop.serialization),
      format_percent(pop.transfer));
}

std::string describe(const MultiplicativeModel& product, const AdditiveModel& sum) {
  return fmt::format("{} ranks x {} threads (multiplicative), {} + {} - 1 (additive)",
                     format_percent(product.process.parallel),
                     format_percent(product.thread.parallel), format_percent(sum.process),
                     format_percent(sum.thread));
}

std::string describe(const HardwareCounts& per_step) {
  return fmt::format("{} instructions and {} cycles a step, {:.2f} instructions per cycle",
                     format_large(per_step.instructions), format_large(per_step.cycles),
                     per_step.ipc());
}

void print_phases(const Activity& activity) {
  fmt::print("\n{:<32} {:>11} {:>8} {:>9} {:>11}\n", "phase", "thread ms", "share", "idle ms",
             "efficiency");
  for_each_phase(activity, [&](const char* name, const PhaseTime& time) {
    fmt::print("{:<32} {:>11.3f} {:>8} {:>9.3f} {:>11}\n", name, ms_per_step(time.busy_s, activity),
               format_percent(share_of(time, activity)), ms_per_step(time.idle_s, activity),
               format_percent(time.efficiency()));
  });
}

}  // namespace weft
