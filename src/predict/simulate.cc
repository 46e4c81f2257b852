#include "predict/simulate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <set>
#include <utility>

#include "base/error.h"

namespace weft {
namespace {

// Least first; of equal keys the earlier op's.
template <typename Key>
using Queue = std::priority_queue<std::pair<Key, uint32_t>, std::vector<std::pair<Key, uint32_t>>,
                                  std::greater<>>;

// Ops that stream from memory. All of them slow down alike where they ask for more than there is,
// so each ends when a clock that slows down with them has gone on by its seconds.
class MemoryStreams {
 public:
  explicit MemoryStreams(double bytes_per_s) : limit_(bytes_per_s) {}

  void begin(uint32_t op, double seconds, double bytes_per_s) {
    ends_.push({clock_s_ + seconds, op});
    asked_ += bytes_per_s;
  }
  bool empty() const { return ends_.empty(); }
  uint32_t next() const { return ends_.top().second; }
  // When the next one ends, if none begins before.
  double next_end(double now) const {
    return now + std::max(0., ends_.top().first - clock_s_) / speed();
  }
  void pass(double seconds) { clock_s_ += seconds * speed(); }
  void end_next(double bytes_per_s) {
    clock_s_ = std::max(clock_s_, ends_.top().first);
    ends_.pop();
    asked_ = ends_.empty() ? 0. : asked_ - bytes_per_s;
  }

 private:
  double speed() const { return asked_ > limit_ ? limit_ / asked_ : 1.; }

  double limit_, clock_s_ = 0., asked_ = 0.;  // asked_: bytes per second
  Queue<double> ends_;
};

// One run, event by event.
class Play {
 public:
  Play(const ProgramGraph& graph, const std::vector<OpCost>& costs, const SimulatedMachine& machine,
       const std::vector<double>& not_before)
      : graph_(graph),
        costs_(costs),
        machine_(machine),
        not_before_(not_before),
        streams_(machine.memory_bytes_per_s),
        left_(graph.size()),
        transfer_is_over_(graph.size(), false) {
    run_.spans.resize(graph.size());
    for (int worker = 0; worker < machine.workers; ++worker) idle_.insert(worker);
    for (size_t i = 0; i < graph.size(); ++i) missing_.push_back(graph.predecessors(i).size());
  }

  SimulatedRun play() {
    if (left_ == 0) return std::move(run_);
    release_first();
    hand_out();
    while (left_ > 0) {
      step_to_next_event();
      hand_out();
    }
    run_.seconds = now_;
    return std::move(run_);
  }

 private:
  enum class Event { kEnds, kFreesWorker, kTransferEnds, kRunBegins };

  bool streams(uint32_t op) const {
    return costs_[op].memory_bytes > 0. && costs_[op].seconds > 0.;
  }
  double bytes_per_s(uint32_t op) const { return costs_[op].memory_bytes / costs_[op].seconds; }

  void at(double time, Event event, uint32_t op) {
    events_.push({time, uint32_t(pending_.size())});
    pending_.emplace_back(event, op);
  }

  // ---- What becomes ready.

  void release_first() {
    switch (machine_.scheduling) {
      case Scheduling::kListOrder:
        make_ready(0);
        return;
      case Scheduling::kForkJoin:
        release_run();
        return;
      case Scheduling::kDataflow:
        for (uint32_t i = 0; i < graph_.size(); ++i) {
          if (missing_[i] == 0) make_ready(i);
        }
        return;
    }
  }

  void release_after(uint32_t op) {
    switch (machine_.scheduling) {
      case Scheduling::kListOrder:
        if (op + 1 < graph_.size()) make_ready(op + 1);
        return;
      case Scheduling::kForkJoin:
        if (--left_in_run_ == 0 && left_ > 0) at(now_ + machine_.barrier_s, Event::kRunBegins, 0);
        return;
      case Scheduling::kDataflow:
        for (const uint32_t next : graph_.successors(op)) {
          if (--missing_[next] == 0) make_ready(next);
        }
        return;
    }
  }

  void release_run() {
    const size_t begin = graph_.runs()[next_run_], end = graph_.runs()[next_run_ + 1];
    ++next_run_;
    left_in_run_ = end - begin;
    for (size_t i = begin; i < end; ++i) make_ready(uint32_t(i));
  }

  // Tasks take communication first, and all take list order then.
  void make_ready(uint32_t op) {
    const bool first = machine_.scheduling == Scheduling::kDataflow &&
                       graph_.op(op).phase == Phase::kCommunication;
    ready_.push({first ? 0 : 1, op});
  }

  // ---- Workers.

  void hand_out() {
    notice_arrivals();
    while (!ready_.empty() && !idle_.empty()) {
      const uint32_t op = ready_.top().second;
      ready_.pop();
      start(op, *idle_.begin());
      idle_.erase(idle_.begin());
    }
  }

  void start(uint32_t op, int worker) {
    SimulatedSpan& span = run_.spans[op];
    span.worker = worker;
    span.begin_s = now_ + machine_.op_overhead_s;
    const double seconds = machine_.op_overhead_s + costs_[op].seconds;
    if (graph_.op(op).waits) {
      at(span.begin_s, Event::kFreesWorker, op);
    } else if (streams(op)) {
      streams_.begin(op, seconds, bytes_per_s(op));
    } else {
      at(now_ + seconds, Event::kEnds, op);
    }
  }

  void end(uint32_t op) {
    run_.spans[op].end_s = now_;
    --left_;
    if (!graph_.op(op).waits) {
      run_.useful_s += now_ - run_.spans[op].begin_s;
      idle_.insert(run_.spans[op].worker);
      if (graph_.begins_transfer(op)) begin_transfer(op);
    }
    release_after(op);
  }

  // ---- The link.

  void begin_transfer(uint32_t op) {
    const double others = not_before_.empty() ? 0. : not_before_[op];
    const double begin = std::max({now_, link_is_free_, others});
    link_is_free_ = begin + costs_[op].transfer_s;
    run_.transfers.push_back({op, begin, link_is_free_});
    at(link_is_free_, Event::kTransferEnds, op);
  }

  void notice_arrivals() {
    if (idle_.empty()) return;
    std::erase_if(waiting_, [&](uint32_t op) {
      const bool is_over = transfer_is_over_[graph_.begun_by(op)];
      if (is_over) end(op);
      return is_over;
    });
  }

  // ---- Time.

  // All that happens at the next point in time, so that what it makes ready is handed out together.
  void step_to_next_event() {
    const double next_stream =
        streams_.empty() ? std::numeric_limits<double>::infinity() : streams_.next_end(now_);
    const double next_event =
        events_.empty() ? std::numeric_limits<double>::infinity() : events_.top().first;
    const double next = std::min(next_stream, next_event);
    require(next < std::numeric_limits<double>::infinity(),
            "something goes on until all has ended");
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
    while (!events_.empty() && events_.top().first <= now_) {
      const auto [event, op] = pending_[events_.top().second];
      events_.pop();
      happen(event, op);
    }
  }

  void happen(Event event, uint32_t op) {
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

  const ProgramGraph& graph_;
  const std::vector<OpCost>& costs_;
  const SimulatedMachine& machine_;
  const std::vector<double>& not_before_;

  double now_ = 0., link_is_free_ = 0.;
  Queue<double> events_;                             // times, and indices into pending_
  std::vector<std::pair<Event, uint32_t>> pending_;  // in the order in which they were foreseen
  MemoryStreams streams_;
  Queue<int> ready_;
  std::set<int> idle_;  // workers
  std::vector<uint32_t> waiting_;
  std::vector<size_t> missing_;  // by op: those that it still waits for
  size_t left_, left_in_run_ = 0, next_run_ = 0;
  std::vector<bool> transfer_is_over_;  // by op that begins one
  SimulatedRun run_;
};

}  // namespace

SimulatedRun simulate(const ProgramGraph& graph, const std::vector<OpCost>& costs,
                      const SimulatedMachine& machine, const std::vector<double>& not_before) {
  require(costs.size() == graph.size(), "there is a cost for each op");
  require(not_before.empty() || not_before.size() == graph.size(), "times are by op");
  require(machine.workers > 0, "there is a worker");
  require(machine.scheduling != Scheduling::kListOrder || machine.workers == 1,
          "a list in order has one worker");
  return Play(graph, costs, machine, not_before).play();
}

SimulatedOverlap overlap_of(const SimulatedRun& run, const ProgramGraph& graph, int workers) {
  SimulatedOverlap overlap;
  for (const SimulatedTransfer& transfer : run.transfers) {
    overlap.all_s += transfer.end_s - transfer.begin_s;
  }
  const auto ends_before = [](const SimulatedTransfer& t, double time) { return t.end_s <= time; };
  for (size_t i = 0; i < graph.size(); ++i) {
    if (graph.op(i).phase == Phase::kCommunication) continue;
    const SimulatedSpan& span = run.spans[i];
    auto at = std::lower_bound(run.transfers.begin(), run.transfers.end(), span.begin_s,
                               ends_before);  // they follow each other on the link
    for (; at != run.transfers.end() && at->begin_s < span.end_s; ++at) {
      const double common = std::min(span.end_s, at->end_s) - std::max(span.begin_s, at->begin_s);
      overlap.hidden_s += common / double(workers);
    }
  }
  return overlap;
}

void append_run(RankTimeline& timeline, const ProgramGraph& graph, const SimulatedRun& run,
                double after_s) {
  // An op that ended at 0 would be one that did not run.
  const auto to_ns = [&](double s) { return 1 + std::llround(1e9 * (after_s + s)); };
  TracedRun traced{.step = 1, .program = uint32_t(timeline.programs.size()), .spans = {}};
  for (const SimulatedSpan& span : run.spans) {
    traced.spans.push_back({to_ns(span.begin_s), to_ns(span.end_s), span.worker});
  }
  timeline.programs.push_back(graph.program());
  timeline.runs.push_back(std::move(traced));
}

}  // namespace weft
