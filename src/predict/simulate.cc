#include "predict/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <set>
#include <utility>

#include "base/error.h"

namespace weft {
namespace {

// The least key first, and of equal keys the earlier op.
template <typename Key>
using Queue = std::priority_queue<std::pair<Key, uint32_t>, std::vector<std::pair<Key, uint32_t>>,
                                  std::greater<>>;

// Ops that are limited by memory. If they need more bandwidth than there is, all of them slow down
// by one factor. So each ends when a clock that slows down by that factor has advanced by its
// seconds.
class MemoryStreams {
 public:
  explicit MemoryStreams(double bytes_per_s) : limit_(bytes_per_s) {}

  void begin(uint32_t op, double seconds, double bytes_per_s) {
    ends_.push({clock_s_ + seconds, op});
    needed_ += bytes_per_s;
  }
  bool empty() const { return ends_.empty(); }
  uint32_t next() const { return ends_.top().second; }
  // When the next one ends, unless another begins first.
  double next_end(double now) const {
    return now + std::max(0., ends_.top().first - clock_s_) / speed();
  }
  void pass(double seconds) { clock_s_ += seconds * speed(); }
  void end_next(double bytes_per_s) {
    clock_s_ = std::max(clock_s_, ends_.top().first);
    ends_.pop();
    needed_ = ends_.empty() ? 0. : needed_ - bytes_per_s;
  }

 private:
  double speed() const { return needed_ > limit_ ? limit_ / needed_ : 1.; }

  double limit_, needed_ = 0.;  // bytes per second
  double clock_s_ = 0.;
  Queue<double> ends_;
};

// A discrete-event simulation of one run.
class Simulation {
 public:
  Simulation(const TracedProgram& program, const std::vector<OpCost>& costs,
             const SimulatedMachine& machine, const std::vector<double>& not_before)
      : program_(program),
        costs_(costs),
        machine_(machine),
        not_before_(not_before),
        runs_(independent_runs(program)),
        successors_(program.ops.size()),
        begins_transfer_(program.ops.size(), false),
        streams_(machine.memory_bytes_per_s),
        pending_ops_(program.ops.size()),
        transfer_is_over_(program.ops.size(), false) {
    run_.spans.resize(program.ops.size());
    for (int worker = 0; worker < machine.workers; ++worker) idle_.insert(worker);
    for (uint32_t i = 0; i < program.ops.size(); ++i) {
      pending_predecessors_.push_back(program.predecessors[i].size());
      for (const uint32_t before : program.predecessors[i]) successors_[before].push_back(i);
      if (op(i).begun_by != TracedOp::kNone) begins_transfer_[op(i).begun_by] = true;
    }
  }

  SimulatedRun run() {
    if (pending_ops_ == 0) return std::move(run_);
    release_first();
    hand_out();
    while (pending_ops_ > 0) {
      step_to_next_event();
      hand_out();
    }
    run_.seconds = now_;
    return std::move(run_);
  }

 private:
  enum class Event { kEnds, kFreesWorker, kTransferEnds, kRunBegins };

  const TracedOp& op(uint32_t i) const { return program_.ops[i]; }
  bool is_limited_by_memory(uint32_t op) const {
    return costs_[op].memory_bytes > 0. && costs_[op].seconds > 0.;
  }
  double bytes_per_s(uint32_t op) const { return costs_[op].memory_bytes / costs_[op].seconds; }

  void at(double time, Event event, uint32_t op) {
    event_times_.push({time, uint32_t(events_.size())});
    events_.emplace_back(event, op);
  }

  // ---- Ready ops.

  void release_first() {
    switch (machine_.scheduling) {
      case Scheduling::kListOrder:
        make_ready(0);
        return;
      case Scheduling::kForkJoin:
        release_run();
        return;
      case Scheduling::kDataflow:
        for (uint32_t i = 0; i < program_.ops.size(); ++i) {
          if (pending_predecessors_[i] == 0) make_ready(i);
        }
        return;
    }
  }

  void release_after(uint32_t op) {
    switch (machine_.scheduling) {
      case Scheduling::kListOrder:
        if (op + 1 < program_.ops.size()) make_ready(op + 1);
        return;
      case Scheduling::kForkJoin:
        if (--pending_in_run_ == 0 && pending_ops_ > 0) {
          at(now_ + machine_.barrier_s, Event::kRunBegins, 0);
        }
        return;
      case Scheduling::kDataflow:
        for (const uint32_t next : successors_[op]) {
          if (--pending_predecessors_[next] == 0) make_ready(next);
        }
        return;
    }
  }

  void release_run() {
    const size_t begin = runs_[next_run_], end = runs_[next_run_ + 1];
    ++next_run_;
    pending_in_run_ = end - begin;
    for (size_t i = begin; i < end; ++i) make_ready(uint32_t(i));
  }

  // Ready ops run in list order, but under dataflow those of communication go first.
  void make_ready(uint32_t i) {
    const bool first =
        machine_.scheduling == Scheduling::kDataflow && op(i).phase == Phase::kCommunication;
    ready_.push({first ? 0 : 1, i});
  }

  // ---- Workers.

  void hand_out() {
    end_transfers();
    while (!ready_.empty() && !idle_.empty()) {
      const uint32_t op = ready_.top().second;
      ready_.pop();
      start(op, *idle_.begin());
      idle_.erase(idle_.begin());
    }
  }

  void start(uint32_t i, int worker) {
    SimulatedSpan& span = run_.spans[i];
    span.worker = worker;
    span.begin_s = now_ + machine_.op_overhead_s;
    const double seconds = machine_.op_overhead_s + costs_[i].seconds;
    if (op(i).waits) {
      at(span.begin_s, Event::kFreesWorker, i);
    } else if (is_limited_by_memory(i)) {
      streams_.begin(i, seconds, bytes_per_s(i));
    } else {
      at(now_ + seconds, Event::kEnds, i);
    }
  }

  void end(uint32_t i) {
    run_.spans[i].end_s = now_;
    --pending_ops_;
    if (!op(i).waits) {
      run_.useful_s += now_ - run_.spans[i].begin_s;
      idle_.insert(run_.spans[i].worker);
      if (begins_transfer_[i]) begin_transfer(i);
    }
    release_after(i);
  }

  // ---- The link.

  void begin_transfer(uint32_t op) {
    const double others_ready_s = not_before_.empty() ? 0. : not_before_[op];
    const double begin = std::max({now_, link_is_free_s_, others_ready_s});
    link_is_free_s_ = begin + costs_[op].transfer_s;
    run_.transfers.push_back({op, begin, link_is_free_s_});
    at(link_is_free_s_, Event::kTransferEnds, op);
  }

  // Ends the ops whose transfers are over, if there is an idle worker that polls them.
  void end_transfers() {
    if (idle_.empty()) return;
    std::erase_if(waiting_, [&](uint32_t i) {
      const bool is_over = transfer_is_over_[op(i).begun_by];
      if (is_over) end(i);
      return is_over;
    });
  }

  // ---- Time.

  // Advances to the next point in time and handles all of its events, so that the ops that they
  // make ready are handed out together.
  void step_to_next_event() {
    const double next_stream =
        streams_.empty() ? std::numeric_limits<double>::infinity() : streams_.next_end(now_);
    const double next_event =
        event_times_.empty() ? std::numeric_limits<double>::infinity() : event_times_.top().first;
    const double next = std::min(next_stream, next_event);
    require(next < std::numeric_limits<double>::infinity(),
            "some op or transfer is under way until all have ended");
    if (!streams_.empty()) streams_.pass(next - now_);
    now_ = std::max(now_, next);
    if (next_stream <= next_event) {
      const uint32_t op = streams_.next();
      streams_.end_next(bytes_per_s(op));
      end(op);
      while (!streams_.empty() && streams_.next_end(now_) <= now_) {
        const uint32_t other = streams_.next();
        streams_.end_next(bytes_per_s(other));
        end(other);
      }
    }
    while (!event_times_.empty() && event_times_.top().first <= now_) {
      const auto [event, op] = events_[event_times_.top().second];
      event_times_.pop();
      handle(event, op);
    }
  }

  void handle(Event event, uint32_t op) {
    switch (event) {
      case Event::kEnds:
        end(op);
        return;
      case Event::kFreesWorker:
        idle_.insert(run_.spans[op].worker);
        waiting_.push_back(op);
        return;
      case Event::kTransferEnds:
        transfer_is_over_[op] = true;
        return;
      case Event::kRunBegins:
        release_run();
        return;
    }
  }

  const TracedProgram& program_;
  const std::vector<OpCost>& costs_;
  const SimulatedMachine& machine_;
  const std::vector<double>& not_before_;
  const std::vector<size_t> runs_;  // independent_runs()
  std::vector<std::vector<uint32_t>> successors_;
  std::vector<bool> begins_transfer_;  // by op

  double now_ = 0., link_is_free_s_ = 0.;
  Queue<double> event_times_;                       // times, and indices into events_
  std::vector<std::pair<Event, uint32_t>> events_;  // in the order in which they were scheduled
  MemoryStreams streams_;
  Queue<int> ready_;
  std::set<int> idle_;             // workers
  std::vector<uint32_t> waiting_;  // ops that wait and have begun
  std::vector<size_t> pending_predecessors_;
  size_t pending_ops_, pending_in_run_ = 0;  // ops that have not ended
  size_t next_run_ = 0;
  std::vector<bool> transfer_is_over_;  // by op that begins it
  SimulatedRun run_;
};

void require_begun_transfers(const TracedProgram& program) {
  for (const TracedOp& op : program.ops) {
    if (op.waits && op.begun_by == TracedOp::kNone) {
      throw failure("simulate",
                    fmt::format("op '{}' waits for a transfer that no op begins", op.name.text()));
    }
  }
}

}  // namespace

SimulatedRun simulate(const TracedProgram& program, const std::vector<OpCost>& costs,
                      const SimulatedMachine& machine, const std::vector<double>& not_before) {
  require(costs.size() == program.ops.size(), "there is a cost for each op");
  require(not_before.empty() || not_before.size() == program.ops.size(), "times are by op");
  require(machine.workers > 0, "there is a worker");
  require(machine.scheduling != Scheduling::kListOrder || machine.workers == 1,
          "ops in list order run on one worker");
  require_begun_transfers(program);
  return Simulation(program, costs, machine, not_before).run();
}

SimulatedOverlap overlap_of(const SimulatedRun& run, const TracedProgram& program, int workers) {
  SimulatedOverlap overlap;
  for (const SimulatedTransfer& transfer : run.transfers) {
    overlap.all_s += transfer.end_s - transfer.begin_s;
  }
  const auto ends_before = [](const SimulatedTransfer& t, double time) { return t.end_s <= time; };
  for (size_t i = 0; i < program.ops.size(); ++i) {
    if (program.ops[i].phase == Phase::kCommunication) continue;
    const SimulatedSpan& span = run.spans[i];
    auto at = std::lower_bound(run.transfers.begin(), run.transfers.end(), span.begin_s,
                               ends_before);  // transfers are in order, and do not overlap
    for (; at != run.transfers.end() && at->begin_s < span.end_s; ++at) {
      const double common = std::min(span.end_s, at->end_s) - std::max(span.begin_s, at->begin_s);
      overlap.hidden_s += common / double(workers);
    }
  }
  return overlap;
}

void append_run(RankTimeline& timeline, const TracedProgram& program, const SimulatedRun& run,
                double after_s) {
  // The 1 keeps an op that ends at 0 from counting as one that did not run.
  const auto to_ns = [&](double s) { return 1 + std::llround(1e9 * (after_s + s)); };
  TracedRun traced{.step = 1, .program = uint32_t(timeline.programs.size()), .spans = {}};
  for (const SimulatedSpan& span : run.spans) {
    traced.spans.push_back({to_ns(span.begin_s), to_ns(span.end_s), span.worker});
  }
  timeline.programs.push_back(program);
  timeline.runs.push_back(std::move(traced));
}

}  // namespace weft
