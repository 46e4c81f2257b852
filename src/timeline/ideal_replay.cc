#include "timeline/ideal_replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/error.h"
#include "timeline/program_clock.h"

namespace weft {
namespace {

// A graph of events. Each happens a fixed time after the last of the events that it follows.
class Events {
 public:
  struct Event {
    size_t index;
    int64_t traced;  // when it happened in the timeline, by the program clock
  };

  Event add(int64_t after_ns, int64_t traced) {
    after_ns_.push_back(after_ns);
    followers_.emplace_back();
    return {followers_.size() - 1, traced};
  }

  // Ignored if `later` happened first in the timeline: then it did not wait for `earlier`.
  void follow(const Event& earlier, const Event& later) {
    if (earlier.traced <= later.traced) followers_[earlier.index].push_back(later.index);
  }

  // The time of the last event.
  int64_t last() const {
    std::vector<size_t> pending(followers_.size(), 0);  // by event: events that it still follows
    for (const std::vector<size_t>& followers : followers_) {
      for (const size_t f : followers) ++pending[f];
    }
    std::vector<size_t> ready;
    for (size_t i = 0; i < pending.size(); ++i) {
      if (pending[i] == 0) ready.push_back(i);
    }
    std::vector<int64_t> begin(followers_.size(), 0);
    int64_t last = 0;
    size_t done = 0;
    for (; !ready.empty(); ++done) {
      const size_t i = ready.back();
      ready.pop_back();
      const int64_t at = begin[i] + after_ns_[i];
      last = std::max(last, at);
      for (const size_t f : followers_[i]) {
        begin[f] = std::max(begin[f], at);
        if (--pending[f] == 0) ready.push_back(f);
      }
    }
    require(done == followers_.size(), "no event of a timeline follows itself");
    return last;
  }

 private:
  std::vector<int64_t> after_ns_;
  std::vector<std::vector<size_t>> followers_;
};

using Event = Events::Event;

// True if each independent run ended before the next one began. begins: independent_runs().
bool has_barriers(const std::vector<size_t>& begins, const std::vector<OpSpan>& spans) {
  int64_t barrier = 0;  // the end of all runs so far
  for (size_t run = 0; run + 1 < begins.size(); ++run) {
    int64_t last = barrier;
    for (size_t i = begins[run]; i < begins[run + 1]; ++i) {
      if (!spans[i].ran()) continue;
      if (spans[i].begin_ns < barrier) return false;
      last = std::max(last, spans[i].end_ns);
    }
    barrier = last;
  }
  return true;
}

class Replay {
 public:
  explicit Replay(const Timeline& timeline) : clock_(timeline) {
    for (const RankTimeline& rank : timeline.ranks) add(rank);
    // A collective ends on each rank when all ranks are ready for it.
    for (const auto& [path, collective] : collectives_) {
      for (const Event& ready : collective.ready) {
        for (const Event& end : collective.ends) events_.follow(ready, end);
      }
    }
  }

  int64_t last() const { return events_.last(); }

 private:
  // The ops of one name that wait in one run on each rank.
  struct Collective {
    std::vector<Event> ready, ends;  // by rank
  };

  void add(const RankTimeline& rank) {
    Event end_of_run = events_.add(0, 0);
    std::map<int64_t, size_t> runs_of_step;
    for (const TracedRun& run : rank.runs) {
      const OpSpan whole = whole_span(run);
      if (!whole.ran()) continue;
      const size_t n = runs_of_step[run.step]++;
      end_of_run = add(rank.programs[run.program], run, clock_.at(whole), end_of_run,
                       fmt::format("{}/{}/", run.step, n));
    }
  }

  // Adds a run that follows `before`. Returns its end.
  Event add(const TracedProgram& program, const TracedRun& run, const Interval& whole,
            const Event& before, const std::string& path) {
    const Event begin = events_.add(whole.begin - before.traced, whole.begin);
    events_.follow(before, begin);
    std::vector<Event> ends(run.spans.size(), begin);  // an op that did not run has no effect
    add_ops(program, run, begin, path, ends);
    const Event end = events_.add(0, whole.end);
    for (const Event& op : ends) events_.follow(op, end);
    return end;
  }

  // Adds the ops in list order, so that the dependences of each are there before it. The op before
  // it on its worker may come later in the list, so those edges are added at the end.
  void add_ops(const TracedProgram& program, const TracedRun& run, const Event& begin,
               const std::string& path, std::vector<Event>& ends) {
    const std::vector<std::vector<size_t>> on_worker = earlier_on_worker(program, run);
    const std::vector<size_t> runs = independent_runs(program);
    const bool is_fork_join = has_barriers(runs, run.spans);
    std::vector<Event> begins(run.spans.size(), begin);
    Event barrier = begin;
    for (size_t r = 0; r + 1 < runs.size(); ++r) {
      for (size_t i = runs[r]; i < runs[r + 1]; ++i) {
        if (!run.spans[i].ran()) continue;
        const Interval span = clock_.at(run.spans[i]);
        std::vector<Event> needed = {begin};
        for (const uint32_t p : program.predecessors[i]) needed.push_back(ends[p]);
        int64_t free = std::max(latest(needed), barrier.traced);
        for (const size_t w : on_worker[i]) free = std::max(free, clock_.at(run.spans[w].end_ns));
        begins[i] = events_.add(std::max<int64_t>(0, span.begin - free), span.begin);
        for (const Event& event : needed) events_.follow(event, begins[i]);
        events_.follow(barrier, begins[i]);
        ends[i] = end_of(program.ops[i], span, begins[i], needed, path);
      }
      if (is_fork_join) {
        barrier = join({ends.begin() + ptrdiff_t(runs[r]), ends.begin() + ptrdiff_t(runs[r + 1])});
      }
    }
    for (size_t i = 0; i < on_worker.size(); ++i) {
      for (const size_t w : on_worker[i]) events_.follow(ends[w], begins[i]);
    }
  }

  Event end_of(const TracedOp& op, const Interval& span, const Event& begin,
               const std::vector<Event>& needed, const std::string& path) {
    const Event end = events_.add(op.waits ? 0 : span.length(), span.end);
    events_.follow(begin, end);
    if (op.waits) {
      Collective& collective = collectives_[path + op.name.text()];
      collective.ready.push_back(join(needed));
      collective.ends.push_back(end);
    }
    return end;
  }

  // For each op, the ops after whose ends its worker was free for it. Where an executor keeps the
  // worker with an op that waits, nothing else begins on that worker before the op has ended.
  static std::vector<std::vector<size_t>> earlier_on_worker(const TracedProgram& program,
                                                            const TracedRun& run) {
    std::vector<size_t> order;
    for (size_t i = 0; i < run.spans.size(); ++i) {
      if (run.spans[i].ran()) order.push_back(i);
    }
    std::ranges::stable_sort(order, {}, [&](size_t i) { return run.spans[i].begin_ns; });
    // By worker: the last op that does not wait, and the ops that wait and began after it.
    std::map<int32_t, std::vector<size_t>> last;
    std::vector<std::vector<size_t>> earlier(run.spans.size());
    for (const size_t i : order) {
      std::vector<size_t>& ops = last[run.spans[i].worker];
      for (const size_t op : ops) {
        if (run.spans[op].end_ns <= run.spans[i].begin_ns) earlier[i].push_back(op);
      }
      if (!program.ops[i].waits) ops.clear();
      std::erase_if(ops, [&](size_t op) { return program.ops[op].waits; });
      ops.push_back(i);
    }
    return earlier;
  }

  static int64_t latest(const std::vector<Event>& events) {
    return std::ranges::max_element(events, {}, &Event::traced)->traced;
  }

  // An event that happens when all of these have.
  Event join(const std::vector<Event>& events) {
    const Event all = events_.add(0, latest(events));
    for (const Event& event : events) events_.follow(event, all);
    return all;
  }

  ProgramClock clock_;
  Events events_;
  std::map<std::string, Collective> collectives_;  // by step, run in the step, and op
};

}  // namespace

double ideal_run_s(const Timeline& timeline) {
  return 1e-9 * static_cast<double>(Replay(timeline).last());
}

}  // namespace weft
