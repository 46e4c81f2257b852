#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "app/format.h"
#include "app/inspectors.h"
#include "app/train_options.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The lines of a metrics file so far.
struct MetricsCount {
  std::map<std::string, int64_t> lines;  // by kind
  std::map<std::string, double> losses;  // the last one, by kind
  int64_t last_step = 0;

  void add(const json& record, const std::string& source) {
    if (!record.is_object() || !record.contains("kind") || !record["kind"].is_string()) {
      throw input_error(kInspect, source + " is not a record with a kind");
    }
    const auto kind = record["kind"].get<std::string>();
    ++lines[kind];
    const auto loss = record.find("loss"), step = record.find("step");
    if (loss != record.end() && loss->is_number()) losses[kind] = loss->get<double>();
    if (step != record.end() && step->is_number_integer()) last_step = step->get<int64_t>();
  }
};

Fact lines_by_kind(const MetricsCount& count) {
  Fact fact{"lines", nlohmann::ordered_json::object(), ""};
  for (const auto& [kind, n] : count.lines) {
    fact.value[kind] = n;
    if (!fact.text.empty()) fact.text += ", ";
    fact.text += format_count(n) + " " + (kind.size() < 20 ? kind : printable(kind));
  }
  return fact;
}

// Counts what is in a trace while it is parsed, so that one of any size needs little memory.
// A trace is { ..., "traceEvents": [ {"ph": "X", "pid": .., "tid": .., "ts": .., "dur": ..}, .. ]
// }.
class TraceCounter : public json::json_sax_t {
 public:
  bool has_events() const { return has_events_; }
  int64_t slices() const { return slices_; }
  int64_t lanes() const { return std::ssize(lanes_); }
  double seconds() const { return slices_ > 0 ? (end_us_ - begin_us_) * 1e-6 : 0.; }
  size_t error_byte() const { return error_byte_; }

  bool start_object(size_t) override {
    if (++depth_ == kEvent && in_events_) event_ = {};
    return true;
  }
  bool end_object() override {
    if (depth_-- == kEvent && in_events_) finish_event();
    return true;
  }
  bool start_array(size_t) override {
    if (++depth_ == kEvents && key_ == "traceEvents") in_events_ = has_events_ = true;
    return true;
  }
  bool end_array() override {
    if (depth_-- == kEvents) in_events_ = false;
    return true;
  }
  bool key(std::string& key) override {
    key_ = key;
    return true;
  }
  bool string(std::string& text) override {
    if (depth_ == kEvent && key_ == "ph") event_.is_slice = text == "X";
    return true;
  }
  bool number_integer(int64_t n) override { return number(static_cast<double>(n)); }
  bool number_unsigned(uint64_t n) override { return number(static_cast<double>(n)); }
  bool number_float(double x, const std::string&) override { return number(x); }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool binary(json::binary_t&) override { return true; }
  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    error_byte_ = position;
    return false;
  }

 private:
  static constexpr int kEvents = 2, kEvent = 3;  // depths

  struct Event {
    bool is_slice = false;
    double pid = 0., tid = 0., ts = 0., dur = 0.;
  };

  bool number(double x) {
    if (depth_ != kEvent) return true;
    if (key_ == "pid") event_.pid = x;
    if (key_ == "tid") event_.tid = x;
    if (key_ == "ts") event_.ts = x;
    if (key_ == "dur") event_.dur = x;
    return true;
  }

  void finish_event() {
    if (!event_.is_slice) return;
    ++slices_;
    lanes_.emplace(event_.pid, event_.tid);
    begin_us_ = std::min(begin_us_, event_.ts);
    end_us_ = std::max(end_us_, event_.ts + event_.dur);
  }

  int depth_ = 0;
  bool in_events_ = false, has_events_ = false;
  std::string key_;
  Event event_;
  int64_t slices_ = 0;
  std::set<std::pair<double, double>> lanes_;
  double begin_us_ = std::numeric_limits<double>::max();
  double end_us_ = std::numeric_limits<double>::lowest();
  size_t error_byte_ = 0;
};

}  // namespace

Inspection inspect_metrics(const fs::path& path) {
  const std::string text = read_file(path);
  Inspection found{.kind = "metrics of a run (JSON lines)"};
  MetricsCount count;
  std::istringstream lines(text);
  std::string line;
  for (int64_t number = 1; std::getline(lines, line); ++number) {
    const std::string source = fmt::format("{}: line {}", path.string(), number);
    try {
      count.add(parse_json(line, kInspect, source), source);
    } catch (const Error&) {
      // Only a line that was being written when the run ended has no end.
      if (!lines.eof()) throw;
      found.flaw = fmt::format("{} breaks off after {} bytes: the run was killed or still writes",
                               source, line.size());
    }
  }
  if (count.lines.empty()) throw input_error(kInspect, path.string() + " has no lines");
  found.facts.push_back(lines_by_kind(count));
  found.add_count("last step", count.last_step);
  if (count.losses.contains("train")) add_loss("last loss", count.losses["train"], found);
  if (count.losses.contains("val")) add_loss("last validation loss", count.losses["val"], found);
  return found;
}

Inspection inspect_trace(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  TraceCounter count;
  if (!json::sax_parse(file, &count)) {
    throw input_error(kInspect,
                      fmt::format("{} is a trace that breaks off or is damaged: see byte {}",
                                  path.string(), count.error_byte()),
                      "record it again");
  }
  if (!count.has_events()) throw input_error(kInspect, path.string() + " has no traceEvents");
  Inspection found{.kind = "trace (Chrome JSON)"};
  found.add_count("slices", count.slices());
  found.add_count("lanes", count.lanes());
  found.facts.push_back({"seconds", count.seconds(), fmt::format("{:.6f}", count.seconds())});
  add_size(path, found);
  return found;
}

Inspection inspect_config(const fs::path& path) {
  TrainOptions options;
  try {
    parse_train_options({"--config", path.string()}, options);
  } catch (const Error& error) {
    throw input_error(kInspect, fmt::format("{}: {}", path.string(), error.message()),
                      error.hint());
  }
  Inspection found{.kind = "configuration of weft train"};
  found.add("model", options.model.empty() ? "of --init, or d12" : options.model);
  found.add("out", options.out);
  found.add("exec", options.executor.exec);
  return found;
}

}  // namespace weft
