// From the slices of a trace file to a Timeline.
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "timeline/trace_file.h"

namespace weft {
namespace {

std::optional<Phase> phase_named(std::string_view name) {
  for (int phase = 0; phase <= int(Phase::kCommunication); ++phase) {
    if (name == phase_name(Phase(phase))) return Phase(phase);
  }
  return std::nullopt;
}

// An op that ran.
struct Ran {
  const TraceSlice* slice;
  int32_t worker;
};

// Builds the timeline of one process.
class RankBuilder {
 public:
  RankBuilder(const TraceFile& file, int rank, const std::string& name) : file_(file) {
    rank_ = {.rank = rank, .name = name, .workers = 0, .programs = {}, .runs = {}};
  }

  void add_track(const TraceTrack& track) {
    is_worker_ = track.name.starts_with("worker ");
    if (is_worker_) ++rank_.workers;
  }

  // A slice of the track that was added last.
  void add(const TraceSlice& slice) {
    if (file_.is_run(slice)) {
      runs_.push_back(&slice);
    } else if (phase_named(file_.category_of(slice)) && (is_worker_ || file_.waits(slice))) {
      ops_.push_back({&slice, is_worker_ ? rank_.workers - 1 : 0});
    }
  }

  RankTimeline take() {
    std::ranges::stable_sort(runs_, {}, &TraceSlice::begin_ns);
    // The order of TraceFile::ops is that of the file, which has the ops of a run in list order.
    std::ranges::stable_sort(ops_, {}, [](const Ran& op) { return op.slice->op; });
    std::vector<std::vector<Ran>> ops(runs_.size());
    for (const Ran& op : ops_) {
      if (const std::optional<size_t> run = run_of(*op.slice)) ops[*run].push_back(op);
    }
    for (size_t run = 0; run < runs_.size(); ++run) add_run(*runs_[run], ops[run]);
    return std::move(rank_);
  }

 private:
  // The run that the op lies in.
  std::optional<size_t> run_of(const TraceSlice& op) const {
    const auto after = std::ranges::upper_bound(runs_, op.begin_ns, {}, &TraceSlice::begin_ns);
    if (after == runs_.begin()) return std::nullopt;
    const TraceSlice& run = **(after - 1);
    if (op.begin_ns + op.duration_ns > run.begin_ns + run.duration_ns) return std::nullopt;
    return static_cast<size_t>(after - runs_.begin()) - 1;
  }

  void add_run(const TraceSlice& run, const std::vector<Ran>& ops) {
    TracedRun traced{.step = run.step, .program = program_of(run, ops), .spans = {}};
    for (const auto& [slice, worker] : ops) {
      traced.spans.push_back({slice->begin_ns, slice->begin_ns + slice->duration_ns, worker});
    }
    rank_.runs.push_back(std::move(traced));
  }

  // Runs of the same ops under the same name are of one program.
  uint32_t program_of(const TraceSlice& run, const std::vector<Ran>& ops) {
    std::pair<std::string, std::vector<uint32_t>> key{file_.op_of(run).text, {}};
    for (const Ran& op : ops) key.second.push_back(op.slice->op);
    const auto [known, is_new] = programs_.try_emplace(key, uint32_t(rank_.programs.size()));
    if (is_new) {
      TracedProgram& program = rank_.programs.emplace_back();
      program.name = file_.op_of(run).text;
      for (const Ran& op : ops) program.ops.push_back(traced(*op.slice));
      program.predecessors.resize(ops.size());
    }
    return known->second;
  }

  TracedOp traced(const TraceSlice& slice) const {
    const TraceOp& op = file_.op_of(slice);
    return {.name = op.name,
            .phase = *phase_named(file_.category_of(slice)),
            .waits = file_.waits(slice),
            .flops = op.flops};
  }

  const TraceFile& file_;
  RankTimeline rank_;
  bool is_worker_ = false;  // the track that was added last
  std::vector<const TraceSlice*> runs_;
  std::vector<Ran> ops_;
  std::map<std::pair<std::string, std::vector<uint32_t>>, uint32_t> programs_;
};

}  // namespace

Timeline timeline_of(const TraceFile& file) {
  Timeline timeline;
  auto slice = file.slices.begin();
  for (uint32_t i = 0; i < file.tracks.size();) {
    const TraceTrack& first = file.tracks[i];
    RankBuilder rank(file, int(timeline.ranks.size()), first.process_name);
    for (; i < file.tracks.size() && file.tracks[i].process == first.process; ++i) {
      rank.add_track(file.tracks[i]);
      for (; slice != file.slices.end() && slice->track == i; ++slice) rank.add(*slice);
    }
    timeline.ranks.push_back(rank.take());
  }
  return timeline;
}

}  // namespace weft
