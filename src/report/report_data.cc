#include "report/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "report/report_columns.h"
#include "report/thinning.h"
#include "timeline/efficiency.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

// At most `most` indices below n, evenly spaced; the last index is among them.
std::vector<size_t> even_choice(size_t n, size_t most) {
  if (most < 2) return n == 0 || most == 0 ? std::vector<size_t>{} : std::vector<size_t>{n - 1};
  const size_t count = std::min(n, most);
  std::vector<size_t> chosen;
  for (size_t i = 0; i < count; ++i) chosen.push_back(count == 1 ? 0 : i * (n - 1) / (count - 1));
  return chosen;
}

// The first `most` bytes at most, cut between two characters.
std::string beginning(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " [...]";
}

ordered_json number(double x) { return std::isfinite(x) ? ordered_json(x) : ordered_json(); }

// Writes the parts of a report, and notes what the limits leave out.
class Writer {
 public:
  Writer(const Report& report, const ReportLimits& limits)
      : report_(report), limits_(limits), notes_(report.notes) {}

  std::string write() {
    JsonObject page;
    page.add("version", quoted_json(report_.version));
    page.add("runs", list(report_.runs, [&](const ReportRun& run) { return to_json(run); }));
    page.add("traces", list(report_.traces, [&](const ReportTrace& t) { return to_json(t); }));
    page.add("notes", list(notes_, [](const std::string& note) { return quoted_json(note); }));
    return without_less_than(page.text());
  }

 private:
  template <typename Items, typename ToText>
  static std::string list(const Items& items, ToText to_text) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ",") + to_text(item);
    return "[" + text + "]";
  }

  std::string to_json(const ReportRun& run) {
    if (!run.log.note.empty()) notes_.push_back(run.log.note);
    JsonObject object;
    object.add("name", quoted_json(run.name));
    object.add("path", quoted_json(run.path));
    object.add("facts", facts_of(run.log));
    object.add("config", quoted_json(beginning(run.config_toml, limits_.config_bytes)));
    add_steps(run, object);
    object.add("validations", list(run.log.validations, [](const LoggedLoss& v) {
                 return fmt::format("[{},{}]", v.step, compact(v.loss));
               }));
    add_samples(run, object);
    return object.text();
  }

  // The members of the run line except its kind, lists and objects.
  static std::string facts_of(const RunLog& log) {
    ordered_json facts = ordered_json::object();
    const ordered_json run = ordered_json::parse(log.run);
    for (const auto& [name, value] : run.items()) {
      if (name != "kind" && !value.is_structured()) facts[name] = value;
    }
    facts["parts"] = log.parts;
    return dumped(facts);
  }

  void add_steps(const ReportRun& run, JsonObject& object) {
    const StepColumns& steps = run.log.steps;
    const std::vector<const std::vector<double>*> curves = {&steps.loss, &steps.lr,
                                                            &steps.grad_norm, &steps.tokens_per_s};
    const size_t most = std::max<size_t>(limits_.rows / report_.runs.size(), 10);
    const std::vector<size_t> rows = kept_rows(curves, most);
    if (rows.size() < steps.rows()) {
      notes_.push_back(
          fmt::format("{} has {} steps, of which the page holds {}, every peak among them.",
                      run.name, steps.rows(), rows.size()));
    }
    object.add("step", differences_json(steps.step, rows));
    object.add("tokens", differences_json(steps.tokens, rows));
    object.add("elapsed_s", column_json(steps.elapsed_s, rows));
    object.add("loss", column_json(steps.loss, rows));
    object.add("lr", column_json(steps.lr, rows));
    object.add("grad_norm", column_json(steps.grad_norm, rows));
    object.add("tokens_per_s", column_json(steps.tokens_per_s, rows));
    object.add("mfu", column_json(steps.mfu, rows));
  }

  void add_samples(const ReportRun& run, JsonObject& object) {
    const std::vector<LoggedSample>& samples = run.log.samples;
    const std::vector<size_t> chosen = even_choice(samples.size(), limits_.samples);
    if (chosen.size() < samples.size()) {
      notes_.push_back(fmt::format("{} has {} samples, of which the page holds {}.", run.name,
                                   samples.size(), chosen.size()));
    }
    object.add("samples", list(chosen, [&](size_t i) {
                 const std::string text = beginning(samples[i].text, limits_.sample_bytes);
                 return fmt::format("[{},{}]", samples[i].step, quoted_json(text));
               }));
  }

  std::string to_json(const ReportTrace& trace) {
    JsonObject object;
    object.add("name", quoted_json(trace.name));
    object.add("run", std::to_string(trace.run));
    object.add("steps", std::to_string(trace.steps));
    object.add("thread_peak", compact(trace.thread_peak));
    object.add("efficiency", efficiency_json(trace.activity));
    object.add("kinds", parts_json(trace, trace.kinds, "kinds of ops"));
    object.add("layers", parts_json(trace, trace.layers, "layers"));
    add_slices(trace, object);
    return object.text();
  }

  // All shares are 0 where no program ran.
  static std::string efficiency_json(const Activity& activity) {
    MultiplicativeModel::Level shares;
    if (activity.run_s > 0.) shares = multiplicative_model(activity).hybrid;
    const auto workers = double(std::max<int64_t>(activity.workers(), 1));
    return dumped({{"threads", activity.workers()},
                   {"wall_s", number(activity.run_s)},
                   {"average_useful_s", number(activity.useful_sum_s() / workers)},
                   {"greatest_useful_s", number(activity.most_useful_s())},
                   {"load_balance", number(shares.load_balance)},
                   {"communication", number(shares.communication)},
                   {"parallel", number(shares.parallel)}});
  }

  std::string parts_json(const ReportTrace& trace, std::span<const TimePart> parts,
                         const char* what) {
    if (parts.size() > limits_.parts) {
      notes_.push_back(fmt::format("The trace {} has {} {}, of which the page shows the first {}.",
                                   trace.name, parts.size(), what, limits_.parts));
      parts = parts.first(limits_.parts);
    }
    return list(parts, [](const TimePart& part) { return to_json(part); });
  }

  static std::string to_json(const TimePart& part) {
    ordered_json phases = ordered_json::array();
    for (const auto& [phase, seconds] : part.seconds_by_phase) {
      phases.push_back({phase, number(seconds)});
    }
    return dumped({{"label", part.label},
                   {"ops", part.ops},
                   {"phases", phases},
                   {"flops", number(part.flops)},
                   {"counted_s", number(part.counted_s)}});
  }

  // Adds the slices that begin first, up to the limit.
  void add_slices(const ReportTrace& trace, JsonObject& object) {
    const TraceFile& file = trace.file;
    const size_t most = limits_.slices / report_.traces.size();
    int64_t before_ns = std::numeric_limits<int64_t>::max();
    if (file.slices.size() > most) {
      std::vector<int64_t> begins;
      begins.reserve(file.slices.size());
      for (const TraceSlice& slice : file.slices) begins.push_back(slice.begin_ns);
      std::ranges::nth_element(begins, begins.begin() + static_cast<std::ptrdiff_t>(most));
      before_ns = begins[most];
      notes_.push_back(fmt::format(
          "The trace {} has {} slices. The timeline shows its first {:.3f} ms; tables count all.",
          trace.name, file.slices.size(), 1e-6 * static_cast<double>(before_ns)));
    }
    SliceColumns columns(file);
    for (const TraceSlice& slice : file.slices) {
      if (slice.begin_ns < before_ns) columns.add(slice);
    }
    object.add("timeline", columns.json());
  }

  const Report& report_;
  const ReportLimits& limits_;
  std::vector<std::string> notes_;
};

}  // namespace

std::string report_json(const Report& report, const ReportLimits& limits) {
  return Writer(report, limits).write();
}

}  // namespace weft
