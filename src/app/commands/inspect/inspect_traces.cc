// Inspects timelines for Perfetto, also of other programs.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>

#include "app/commands/inspect/inspectors.h"
#include "base/error.h"
#include "base/gzip.h"
#include "timeline/trace_events.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

// The contents of a trace. Those of weft, unlike those of other programs, have "thread_name" events
// that name workers, and the step of each slice.
class TraceCounter {
 public:
  void add(const TraceEvent& event) {
    if (event.name == "thread_name" && event.named.starts_with("worker ")) ++workers_;
    if (event.phase != "X") return;
    ++slices_;
    if (event.category == "program") ++programs_;
    lanes_.emplace(event.pid, event.tid);
    processes_.insert(event.pid);
    if (event.step > 0.) steps_.insert(event.step);
    begin_us_ = std::min(begin_us_, event.ts);
    end_us_ = std::max(end_us_, event.ts + event.dur);
  }

  int64_t slices() const { return slices_; }
  int64_t lanes() const { return std::ssize(lanes_); }
  double seconds() const { return slices_ > 0 ? (end_us_ - begin_us_) * 1e-6 : 0.; }

  bool is_of_weft() const { return workers_ > 0 && !steps_.empty(); }
  int64_t ranks() const { return std::ssize(processes_); }
  int64_t workers() const { return workers_; }
  int64_t steps() const { return std::ssize(steps_); }
  int64_t ops() const { return slices_ - programs_; }

 private:
  int64_t slices_ = 0, programs_ = 0, workers_ = 0;
  std::set<std::pair<double, double>> lanes_;
  std::set<double> processes_, steps_;
  double begin_us_ = std::numeric_limits<double>::max();
  double end_us_ = std::numeric_limits<double>::lowest();
};

Inspection inspect_stream(const fs::path& path, std::istream& file) {
  TraceCounter count;
  const TraceText trace =
      for_each_trace_event(file, [&](const TraceEvent& event) { count.add(event); });
  if (!trace.is_json) {
    throw input_error(
        kInspect,
        fmt::format("{} is no trace, or one that breaks off or is damaged: see byte {}",
                    path.string(), trace.error_byte),
        "record it again");
  }
  if (!trace.has_events) throw input_error(kInspect, path.string() + " has no traceEvents");
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
