#include "timeline/activity.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "timeline/program_clock.h"

namespace weft {
namespace {

constexpr double kSecond = 1e-9;  // seconds in a nanosecond

bool is_useful(const TracedOp& op) { return !op.waits && op.phase != Phase::kCommunication; }

// An op on its worker, by the program clock.
struct Work {
  Interval span;
  Phase phase;
  bool useful;
};

// One run of a program: the ops of each worker, and when the rank communicated.
struct RunWork {
  Interval span;
  Phase last_phase = Phase::kForward;  // of the op that ends last
  std::vector<std::vector<Work>> by_worker;
  Intervals communicating;
};

RunWork work_of(const TracedRun& run, const RankTimeline& rank, const ProgramClock& clock) {
  RunWork work;
  const OpSpan whole = whole_span(run);
  work.span = clock.at(whole);
  work.by_worker.resize(static_cast<size_t>(rank.workers));
  std::vector<Interval> useful, transfers;
  const std::vector<TracedOp>& ops = rank.programs[run.program].ops;
  for (size_t i = 0; i < run.spans.size(); ++i) {
    if (!run.spans[i].ran()) continue;
    const Interval span = clock.at(run.spans[i]);
    (is_useful(ops[i]) ? useful : transfers).push_back(span);
    if (!ops[i].waits) {
      work.by_worker[static_cast<size_t>(run.spans[i].worker)].push_back(
          {span, ops[i].phase, is_useful(ops[i])});
    }
    if (run.spans[i].end_ns == whole.end_ns) work.last_phase = ops[i].phase;
  }
  for (std::vector<Work>& worker : work.by_worker) {
    std::ranges::sort(worker, {}, [](const Work& w) { return w.span.begin; });
  }
  work.communicating = without(joined(std::move(transfers)), joined(std::move(useful)));
  return work;
}

// Sums up the activity of ranks.
class ActivitySum {
 public:
  explicit ActivitySum(const ProgramClock& clock) : clock_(clock) {
    sum_.run_s = kSecond * static_cast<double>(clock.total());
  }

  void add(const RankTimeline& rank) {
    useful_ns_.assign(static_cast<size_t>(rank.workers), 0);
    int64_t running_ns = 0, communicating_ns = 0;
    for (const TracedRun& run : rank.runs) {
      if (!whole_span(run).ran()) continue;
      const RunWork work = work_of(run, rank, clock_);
      running_ns += work.span.length();
      communicating_ns += length(work.communicating);
      for (size_t w = 0; w < work.by_worker.size(); ++w) add(work, w);
      steps_.insert(run.step);
    }
    idle(Phase::kCommunication, (clock_.total() - running_ns) * rank.workers);
    sum_.computing_s.push_back(kSecond * static_cast<double>(running_ns - communicating_ns));
    std::vector<double>& useful_s = sum_.useful_s.emplace_back();
    for (const int64_t ns : useful_ns_) useful_s.push_back(kSecond * static_cast<double>(ns));
  }

  Activity finish() {
    sum_.steps = static_cast<int64_t>(steps_.size());
    return std::move(sum_);
  }

 private:
  void add(const RunWork& run, size_t worker) {
    int64_t at = run.span.begin;
    for (const Work& work : run.by_worker[worker]) {
      wait(run, {at, work.span.begin}, work.phase);
      sum_.phases[size_t(work.phase)].busy_s += kSecond * static_cast<double>(work.span.length());
      if (work.useful) useful_ns_[worker] += work.span.length();
      at = work.span.end;
    }
    wait(run, {at, run.span.end}, run.last_phase);
  }

  void wait(const RunWork& run, const Interval& gap, Phase phase) {
    if (gap.length() <= 0) return;
    const int64_t communicating_ns = common_length(gap, run.communicating);
    idle(Phase::kCommunication, communicating_ns);
    idle(phase, gap.length() - communicating_ns);
  }

  void idle(Phase phase, int64_t ns) {
    sum_.phases[size_t(phase)].idle_s += kSecond * static_cast<double>(ns);
  }

  const ProgramClock& clock_;
  Activity sum_;
  std::set<int64_t> steps_;
  std::vector<int64_t> useful_ns_;  // of the rank that is being added, by worker
};

}  // namespace

double PhaseTime::efficiency() const {
  const double all_s = busy_s + idle_s;
  return all_s > 0. ? busy_s / all_s : 0.;
}

int64_t Activity::workers() const {
  int64_t n = 0;
  for (const std::vector<double>& rank : useful_s) n += static_cast<int64_t>(rank.size());
  return n;
}

double Activity::useful_sum_s() const {
  double sum = 0.;
  for (const std::vector<double>& rank : useful_s) {
    sum = std::accumulate(rank.begin(), rank.end(), sum);
  }
  return sum;
}

double Activity::most_useful_s() const {
  double most = 0.;
  for (const std::vector<double>& rank : useful_s) {
    for (const double s : rank) most = std::max(most, s);
  }
  return most;
}

Activity activity(const Timeline& timeline) {
  const ProgramClock clock(timeline);
  ActivitySum sum(clock);
  for (const RankTimeline& rank : timeline.ranks) sum.add(rank);
  return sum.finish();
}

}  // namespace weft
