#include "timeline/paraver_records.h"

#include <algorithm>
#include <tuple>

namespace weft {
namespace {

struct Interval {
  int64_t begin_ns, end_ns;
};

// An op of a rank.
struct OpRef {
  uint32_t run, op;
  OpSpan span;
};

std::tuple<int64_t, ParaverRecordKind> in_file(const ParaverRecord& record) {
  return {record.at_ns, record.kind};
}

// The records of one worker.
class WorkerRecords {
 public:
  WorkerRecords(uint32_t rank, uint32_t worker, std::vector<ParaverRecord>& records)
      : records_(records), here_{.rank = rank, .worker = worker} {}

  void run(uint32_t run, const OpSpan& whole) {
    add(whole.begin_ns, ParaverRecordKind::kRunBegins).run = run;
    add(whole.end_ns, ParaverRecordKind::kRunEnds).run = run;
  }

  // Each record has the number of transfers that are under way at the same time.
  void transfers(const std::vector<OpRef>& transfers) {
    std::vector<ParaverRecord> changes;
    for (const OpRef& transfer : transfers) {
      changes.push_back(record(transfer.span.begin_ns, ParaverRecordKind::kTransferBegins));
      changes.back().run = transfer.run;
      changes.back().op = transfer.op;
      changes.push_back(record(transfer.span.end_ns, ParaverRecordKind::kTransferEnds));
    }
    std::ranges::stable_sort(changes, {}, in_file);
    int64_t under_way = 0;
    for (ParaverRecord& change : changes) {
      under_way += change.kind == ParaverRecordKind::kTransferBegins ? 1 : -1;
      change.under_way = under_way;
      records_.push_back(change);
    }
  }

  // ops: by their begin. waits: in order, disjoint.
  void ops(const std::vector<OpRef>& ops, const std::vector<Interval>& waits, int64_t length_ns) {
    int64_t free_ns = 0;  // the worker is free from then on
    for (const OpRef& op : ops) {
      ParaverRecord& begin = add(op.span.begin_ns, ParaverRecordKind::kOpBegins);
      begin.run = op.run;
      begin.op = op.op;
      add(op.span.end_ns, ParaverRecordKind::kOpEnds);
      free_time({free_ns, op.span.begin_ns}, waits);
      state({op.span.begin_ns, op.span.end_ns}, ParaverState::kRunning);
      free_ns = op.span.end_ns;
    }
    free_time({free_ns, length_ns}, waits);
  }

 private:
  ParaverRecord record(int64_t at_ns, ParaverRecordKind kind) const {
    ParaverRecord record = here_;
    record.at_ns = at_ns;
    record.kind = kind;
    return record;
  }

  ParaverRecord& add(int64_t at_ns, ParaverRecordKind kind) {
    return records_.emplace_back(record(at_ns, kind));
  }

  void state(Interval time, ParaverState state) {
    if (time.begin_ns >= time.end_ns) return;
    ParaverRecord& record = add(time.begin_ns, ParaverRecordKind::kState);
    record.until_ns = time.end_ns;
    record.state = state;
  }

  void free_time(Interval time, const std::vector<Interval>& waits) {
    auto wait = std::ranges::upper_bound(waits, time.begin_ns, {}, &Interval::end_ns);
    for (; wait != waits.end() && wait->begin_ns < time.end_ns; ++wait) {
      const Interval exposed = {std::max(wait->begin_ns, time.begin_ns),
                                std::min(wait->end_ns, time.end_ns)};
      if (exposed.begin_ns >= exposed.end_ns) continue;
      state({time.begin_ns, exposed.begin_ns}, ParaverState::kIdle);
      state(exposed, ParaverState::kGroupCommunication);
      add(exposed.begin_ns, ParaverRecordKind::kWaitBegins);
      add(exposed.end_ns, ParaverRecordKind::kWaitEnds);
      time.begin_ns = exposed.end_ns;
    }
    state(time, ParaverState::kIdle);
  }

  std::vector<ParaverRecord>& records_;
  ParaverRecord here_;
};

// The times in which one of the ops ran.
std::vector<Interval> joined(const std::vector<OpRef>& ops) {
  std::vector<Interval> times;
  for (const OpRef& op : ops) {
    if (!times.empty() && op.span.begin_ns <= times.back().end_ns) {
      times.back().end_ns = std::max(times.back().end_ns, op.span.end_ns);
    } else {
      times.push_back({op.span.begin_ns, op.span.end_ns});
    }
  }
  return times;
}

void add_rank(const RankTimeline& timeline, uint32_t rank, int64_t length_ns,
              std::vector<ParaverRecord>& records) {
  const auto workers = static_cast<size_t>(timeline.workers);
  std::vector<std::vector<OpRef>> ops(workers), transfers(workers);
  for (uint32_t r = 0; r < timeline.runs.size(); ++r) {
    const TracedRun& run = timeline.runs[r];
    for (uint32_t i = 0; i < run.spans.size(); ++i) {
      const OpSpan& span = run.spans[i];
      if (span.begin_ns >= span.end_ns) continue;
      const bool waits = timeline.programs[run.program].ops[i].waits;
      (waits ? transfers : ops)[static_cast<size_t>(span.worker)].push_back({r, i, span});
    }
  }
  for (uint32_t worker = 0; worker < workers; ++worker) {
    const auto begin = [](const OpRef& op) { return op.span.begin_ns; };
    std::ranges::stable_sort(ops[worker], {}, begin);
    std::ranges::stable_sort(transfers[worker], {}, begin);
    WorkerRecords to(rank, worker, records);
    for (uint32_t r = 0; r < timeline.runs.size(); ++r) {
      const OpSpan whole = whole_span(timeline.runs[r]);
      if (whole.begin_ns < whole.end_ns) to.run(r, whole);
    }
    to.transfers(transfers[worker]);
    to.ops(ops[worker], joined(transfers[worker]), length_ns);
  }
}

}  // namespace

std::vector<ParaverRecord> paraver_records(const Timeline& timeline) {
  std::vector<ParaverRecord> records;
  const int64_t length_ns = end_ns(timeline);
  for (uint32_t rank = 0; rank < timeline.ranks.size(); ++rank) {
    add_rank(timeline.ranks[rank], rank, length_ns, records);
  }
  std::ranges::stable_sort(records, {}, in_file);
  return records;
}

}  // namespace weft
