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

// Events, each of which is some time after the last of those that it follows.
class Events {
 public:
  struct Event {
    size_t index;
    int64_t traced;  // when it happened, by the program clock
  };

  Event add(int64_t after_ns, int64_t traced) {
    after_ns_.push_back(after_ns);
    followers_.emplace_back();
    return {followers_.size() - 1, traced};
  }

  // What did not happen in this order was not waited for.
  void follow(const Event& earlier, const Event& later) {
    if (earlier.traced <= later.traced) followers_[earlier.index].push_back(later.index);
  }

  // When the last of them happens.
  int64_t last() const {
    std::vector<size_t> missing(followers_.size(), 0);
    for (const std::vector<size_t>& followers : followers_) {
      for (const size_t f : followers) ++missing[f];
    }
    std::vector<size_t> ready;
    for (size_t i = 0; i < missing.size(); ++i) {
      if (missing[i] == 0) ready.push_back(i);
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
        if (--missing[f] == 0) ready.push_back(f);
      }
    }
    require(done == followers_.size(), "events of a timeline follow each other in time");
    return last;
  }

 private:
  std::vector<int64_t> after_ns_;
  std::vector<std::vector<size_t>> followers_;
};

using Event = Events::Event;

// The longest runs of ops, in list order, in which none depends on another: their ends in the list.
std::vector<size_t> ends_of_independent_runs(const TracedProgram& program) {
  std::vector<size_t> ends;
  size_t begin = 0;
  for (size_t i = 0; i < program.ops.size(); ++i) {
    const std::vector<uint32_t>& earlier = program.predecessors[i];
    if (std::ranges::any_of(earlier, [&](uint32_t p) { return p >= begin; })) {
      ends.push_back(i);
      begin = i;
    }
  }
  ends.push_back(program.ops.size());
  return ends;
}

// Whether each of these runs ended before the next one began.
bool waits_between(const std::vector<size_t>& ends, const std::vector<OpSpan>& spans) {
  int64_t before = 0;
  size_t i = 0;
  for (const size_t end : ends) {
    int64_t last = before;
    for (; i < end; ++i) {
      if (!spans[i].ran()) continue;
      if (spans[i].begin_ns < before) return false;
      last = std::max(last, spans[i].end_ns);
    }
    before = last;
  }
  return true;
}

class Replay {
 public:
  explicit Replay(const Timeline& timeline) : clock_(timeline) {
    for (const RankTimeline& rank : timeline.ranks) add(rank);
    // Every rank's op of a name has ended when it could, on all of them.
    for (const auto& [path, meeting] : meetings_) {
      for (const Event& ready : meeting.ready) {
        for (const Event& end : meeting.ends) events_.follow(ready, end);
      }
    }
  }

  int64_t last() const { return events_.last(); }

 private:
  struct Meeting {
    std::vector<Event> ready, ends;  // one of each per rank
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

  // Returns the end of the run.
  Event add(const TracedProgram& program, const TracedRun& run, const Interval& whole,
            const Event& before, const std::string& path) {
    const Event begin = events_.add(whole.begin - before.traced, whole.begin);
    events_.follow(before, begin);
    std::vector<Event> ends(run.spans.size(), begin);  // of ops that did not run: of no effect
    add_ops(program, run, begin, path, ends);
    const Event end = events_.add(0, whole.end);
    for (const Event& op : ends) events_.follow(op, end);
    return end;
  }

  // In the order of the list, which has what an op depends on before it. An op that was the one
  // before on its worker may come later in the list: such pairs are joined at the end.
  void add_ops(const TracedProgram& program, const TracedRun& run, const Event& begin,
               const std::string& path, std::vector<Event>& ends) {
    const std::vector<std::vector<size_t>> on_worker = earlier_on_worker(program, run);
    const std::vector<size_t> group_ends = ends_of_independent_runs(program);
    const bool has_barriers = waits_between(group_ends, run.spans);
    std::vector<Event> begins(run.spans.size(), begin);
    Event barrier = begin;
    size_t i = 0;
    for (const size_t group_end : group_ends) {
      const size_t group_begin = i;
      for (; i < group_end; ++i) {
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
      const auto first = ends.begin() + ptrdiff_t(group_begin);
      if (has_barriers) barrier = join({first, ends.begin() + ptrdiff_t(group_end)});
    }
    for (i = 0; i < on_worker.size(); ++i) {
      for (const size_t w : on_worker[i]) events_.follow(ends[w], begins[i]);
    }
  }

  Event end_of(const TracedOp& op, const Interval& span, const Event& begin,
               const std::vector<Event>& needed, const std::string& path) {
    const Event end = events_.add(op.waits ? 0 : span.length(), span.end);
    events_.follow(begin, end);
    if (op.waits) {
      Meeting& meeting = meetings_[path + op.name.text()];
      meeting.ready.push_back(join(needed));
      meeting.ends.push_back(end);
    }
    return end;
  }

  // For each op, those after which its worker was free for it. An op that waits occupies none, but
  // with some executors it does: then nothing else begins on its worker before it has ended.
  static std::vector<std::vector<size_t>> earlier_on_worker(const TracedProgram& program,
                                                            const TracedRun& run) {
    std::vector<size_t> order;
    for (size_t i = 0; i < run.spans.size(); ++i) {
      if (run.spans[i].ran()) order.push_back(i);
    }
    std::ranges::stable_sort(order, {}, [&](size_t i) { return run.spans[i].begin_ns; });
    // By worker: the last op that does not wait, and what began after it, if that waits.
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

  // When all of them have happened.
  Event join(const std::vector<Event>& events) {
    const Event all = events_.add(0, latest(events));
    for (const Event& event : events) events_.follow(event, all);
    return all;
  }

  ProgramClock clock_;
  Events events_;
  std::map<std::string, Meeting> meetings_;  // by step, run in the step, and op
};

}  // namespace

double ideal_run_s(const Timeline& timeline) {
  return 1e-9 * static_cast<double>(Replay(timeline).last());
}

}  // namespace weft
