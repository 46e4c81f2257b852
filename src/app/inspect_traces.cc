// Timelines for Perfetto, also of other programs.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>

#include "app/inspectors.h"
#include "base/error.h"
#include "base/gzip.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Counts what is in a trace while it is parsed, so that one of any size needs little memory.
// A trace is { .., "traceEvents": [ {"ph": "X", "pid": .., "tid": .., "ts": .., "dur": ..}, .. ] }.
// Those of weft also have "thread_name" events that name workers, and the step of each slice.
class TraceCounter : public json::json_sax_t {
 public:
  bool has_events() const { return has_events_; }
  int64_t slices() const { return slices_; }
  int64_t lanes() const { return std::ssize(lanes_); }
  double seconds() const { return slices_ > 0 ? (end_us_ - begin_us_) * 1e-6 : 0.; }
  size_t error_byte() const { return error_byte_; }

  bool is_of_weft() const { return workers_ > 0 && !steps_.empty(); }
  int64_t ranks() const { return std::ssize(processes_); }
  int64_t workers() const { return workers_; }
  int64_t steps() const { return std::ssize(steps_); }
  int64_t ops() const { return slices_ - programs_; }

  bool start_object(size_t) override {
    ++depth_;
    if (depth_ == kEvent && in_events_) event_ = {};
    if (depth_ == kArguments) in_arguments_ = in_events_ && key_ == "args";
    return true;
  }
  bool end_object() override {
    if (depth_ == kArguments) in_arguments_ = false;
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
    if (depth_ == kEvent) {
      if (key_ == "ph") event_.is_slice = text == "X";
      if (key_ == "name") event_.names_thread = text == "thread_name";
      if (key_ == "cat") event_.is_program = text == "program";
    }
    if (is_argument("name")) event_.names_worker = text.starts_with("worker ");
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
  static constexpr int kEvents = 2, kEvent = 3, kArguments = 4;  // depths

  struct Event {
    bool is_slice = false, is_program = false, names_thread = false, names_worker = false;
    double pid = 0., tid = 0., ts = 0., dur = 0., step = 0.;
  };

  bool is_argument(const char* name) const {
    return depth_ == kArguments && in_arguments_ && key_ == name;
  }

  bool number(double x) {
    if (is_argument("step")) event_.step = x;
    if (depth_ != kEvent) return true;
    if (key_ == "pid") event_.pid = x;
    if (key_ == "tid") event_.tid = x;
    if (key_ == "ts") event_.ts = x;
    if (key_ == "dur") event_.dur = x;
    return true;
  }

  void finish_event() {
    if (event_.names_thread && event_.names_worker) ++workers_;
    if (!event_.is_slice) return;
    ++slices_;
    if (event_.is_program) ++programs_;
    lanes_.emplace(event_.pid, event_.tid);
    processes_.insert(event_.pid);
    if (event_.step > 0.) steps_.insert(event_.step);
    begin_us_ = std::min(begin_us_, event_.ts);
    end_us_ = std::max(end_us_, event_.ts + event_.dur);
  }

  int depth_ = 0;
  bool in_events_ = false, has_events_ = false, in_arguments_ = false;
  std::string key_;
  Event event_;
  int64_t slices_ = 0, programs_ = 0, workers_ = 0;
  std::set<std::pair<double, double>> lanes_;
  std::set<double> processes_, steps_;
  double begin_us_ = std::numeric_limits<double>::max();
  double end_us_ = std::numeric_limits<double>::lowest();
  size_t error_byte_ = 0;
};

Inspection inspect_stream(const fs::path& path, std::istream& file) {
  TraceCounter count;
  if (!json::sax_parse(file, &count)) {
    throw input_error(
        kInspect,
        fmt::format("{} is no trace, or one that breaks off or is damaged: see byte {}",
                    path.string(), count.error_byte()),
        "record it again");
  }
  if (!count.has_events()) throw input_error(kInspect, path.string() + " has no traceEvents");
  Inspection found{.kind = "trace (Chrome JSON)"};
  if (count.is_of_weft()) {
    found.add_count("ranks", count.ranks());
    found.add_count("threads", count.workers());
    found.add_count("steps", count.steps());
    found.add_count("ops", count.ops());
  }
  found.add_count("slices", count.slices());
  found.add_count("lanes", count.lanes());
  add_seconds(count.seconds(), found);
  add_size(path, found);
  return found;
}

}  // namespace

Inspection inspect_trace(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return inspect_stream(path, file);
}

Inspection inspect_packed_trace(const fs::path& path) {
  GzipReader unpacked(path, kInspect);
  std::istream file(&unpacked);
  return inspect_stream(path, file);
}

}  // namespace weft
