#include "timeline/perfetto_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/file_writer.h"
#include "base/gzip.h"
#include "timeline/chrome_events.h"
#include "timeline/critical_path.h"
#include "timeline/run_counters.h"

namespace weft {
namespace {

constexpr int kProgramTrack = 1;
int track_of(int worker) { return kProgramTrack + 1 + worker; }

// By op: for one that waits, its lane, which is the first that is free when it begins.
std::vector<int> waiting_lanes(const TracedProgram& program, const TracedRun& run) {
  std::vector<size_t> waiting;
  for (size_t i = 0; i < run.spans.size(); ++i) {
    if (run.spans[i].ran() && program.ops[i].waits) waiting.push_back(i);
  }
  std::ranges::sort(waiting, {}, [&](size_t i) { return run.spans[i].begin_ns; });
  std::vector<int> lanes(run.spans.size());
  std::vector<int64_t> ends;  // by lane
  for (const size_t i : waiting) {
    const auto free =
        std::ranges::find_if(ends, [&](int64_t end_ns) { return end_ns <= run.spans[i].begin_ns; });
    lanes[i] = static_cast<int>(free - ends.begin());
    if (free == ends.end()) ends.push_back(0);
    ends[static_cast<size_t>(lanes[i])] = run.spans[i].end_ns;
  }
  return lanes;
}

// Few enough that counters are a small part of the file, and no finer than a screen.
size_t counter_slots(size_t ops) {
  constexpr size_t kMostSlots = 500, kOpsPerSlot = 4;
  return std::clamp<size_t>(ops / kOpsPerSlot, 1, kMostSlots);
}

// The members of a slice's "args". A fact that an op does not have is left out.
std::string arguments(const TracedOp& op, int64_t step, bool critical) {
  const auto number = [](const char* key, int64_t n) {
    return n == OpName::kNone ? "" : fmt::format(R"(,"{}":{})", key, n);
  };
  const auto text = [](const char* key, const std::string& value) {
    return value.empty() ? "" : fmt::format(R"(,"{}":{})", key, json_quoted(value));
  };
  const OpName& name = op.name;
  return fmt::format(R"("phase":"{}","step":{})", phase_name(op.phase), step) +
         text("kind", name.kind) + number("layer", name.layer) + text("parameter", name.parameter) +
         number("index", name.index) + text("tiles", name.tile) +
         (op.flops > 0. ? fmt::format(R"(,"flops":{})", op.flops) : "") +
         fmt::format(R"(,"critical":{})", critical);
}

const char* arrow_name(Cause cause) {
  return cause == Cause::kDependence ? "dependence" : "same worker";
}

// The events of one rank.
class RankEvents {
 public:
  RankEvents(const RankTimeline& timeline, ChromeEvents& events)
      : timeline_(timeline), process_(timeline.rank + 1), events_(events) {}

  void write() {
    events_.name_process(process_, timeline_.name);
    events_.name_track({process_, kProgramTrack}, "programs");
    for (int worker = 0; worker < timeline_.workers; ++worker) {
      events_.name_track({process_, track_of(worker)}, fmt::format("worker {}", worker));
    }
    for (const TracedRun& run : timeline_.runs) {
      if (whole_span(run).ran()) write(timeline_.programs[run.program], run);
    }
    for (int lane = 0; lane < lanes_; ++lane) {
      events_.name_track({process_, waiting_track(lane)}, "under way");
    }
  }

 private:
  int waiting_track(int lane) const { return track_of(timeline_.workers) + lane; }

  void write(const TracedProgram& program, const TracedRun& run) {
    const OpSpan whole = whole_span(run);
    const std::vector<CriticalOp> path = critical_path(program, run);
    const std::vector<ChromeTrack> tracks = tracks_of(program, run);
    events_.slice({process_, kProgramTrack}, program.name, "program", whole.begin_ns, whole.end_ns,
                  fmt::format(R"("phase":"program","step":{})", run.step));
    write_ops(program, run, tracks, path);
    write_arrows(run, tracks, path);
    write_counters(run_counters(program, run, counter_slots(program.ops.size())), whole.end_ns);
  }

  // The track of each op.
  std::vector<ChromeTrack> tracks_of(const TracedProgram& program, const TracedRun& run) {
    const std::vector<int> lanes = waiting_lanes(program, run);
    std::vector<ChromeTrack> tracks;
    for (size_t i = 0; i < run.spans.size(); ++i) {
      const bool waits = run.spans[i].ran() && program.ops[i].waits;
      if (waits) lanes_ = std::max(lanes_, lanes[i] + 1);
      tracks.push_back({process_, waits ? waiting_track(lanes[i]) : track_of(run.spans[i].worker)});
    }
    return tracks;
  }

  // In list order, on which readers of the file may rely.
  void write_ops(const TracedProgram& program, const TracedRun& run,
                 const std::vector<ChromeTrack>& tracks, const std::vector<CriticalOp>& path) {
    std::vector<bool> critical(run.spans.size());
    for (const CriticalOp& op : path) critical[op.op] = true;
    for (size_t i = 0; i < run.spans.size(); ++i) {
      if (!run.spans[i].ran()) continue;
      const TracedOp& op = program.ops[i];
      events_.slice(tracks[i], op.name.text(), phase_name(op.phase), run.spans[i].begin_ns,
                    run.spans[i].end_ns, arguments(op, run.step, critical[i]));
    }
  }

  // From the last nanosecond of an op, since its end is no longer in its slice, to the first of the
  // next.
  void write_arrows(const TracedRun& run, const std::vector<ChromeTrack>& tracks,
                    const std::vector<CriticalOp>& path) {
    for (size_t i = 1; i < path.size(); ++i) {
      const size_t from = path[i - 1].op, to = path[i].op;
      const OpSpan &before = run.spans[from], &after = run.spans[to];
      if (before.begin_ns == before.end_ns || after.begin_ns == after.end_ns) continue;
      events_.arrow(arrow_name(path[i].cause), tracks[from], before.end_ns - 1, tracks[to],
                    after.begin_ns);
    }
  }

  void write_counters(const RunCounters& counters, int64_t end_ns) {
    write_counter("ready ops", "ops", counters.begins_ns, counters.ready_ops, end_ns);
    write_counter("tile traffic", "GB/s", counters.begins_ns, counters.tile_gb_per_s, end_ns);
  }

  // Writes changes only. The counter is 0 between runs.
  void write_counter(const char* name, const char* unit, const std::vector<int64_t>& begins_ns,
                     const std::vector<double>& values, int64_t end_ns) {
    std::string last;
    for (size_t i = 0; i < values.size(); ++i) {
      std::string value = fmt::format("{:.2f}", values[i]);
      if (value == last) continue;
      events_.counter(process_, name, unit, begins_ns[i], value);
      last = std::move(value);
    }
    events_.counter(process_, name, unit, end_ns, "0.00");
  }

  const RankTimeline& timeline_;
  int process_;
  ChromeEvents& events_;
  int lanes_ = 0;  // of ops that wait
};

template <typename File>
void write_file(File file, const Timeline& timeline) {
  const std::function<void(std::string_view)> append = [&](std::string_view text) {
    file.append(text);
  };
  ChromeEvents events(append);
  for (const RankTimeline& rank : timeline.ranks) RankEvents(rank, events).write();
  events.finish();
  file.finish();
}

}  // namespace

void write_perfetto(const std::filesystem::path& path, const Timeline& timeline) {
  if (path.extension() == ".gz") {
    write_file(GzipWriter(path), timeline);
  } else {
    write_file(FileWriter(path), timeline);
  }
}

}  // namespace weft
