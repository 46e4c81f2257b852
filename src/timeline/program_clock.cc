#include "timeline/program_clock.h"

#include <algorithm>
#include <utility>

namespace weft {

ProgramClock::ProgramClock(const Timeline& timeline) {
  std::vector<Interval> runs;
  for (const RankTimeline& rank : timeline.ranks) {
    for (const TracedRun& run : rank.runs) {
      const OpSpan whole = whole_span(run);
      if (whole.ran()) runs.push_back({whole.begin_ns, whole.end_ns});
    }
  }
  running_ = joined(std::move(runs));
  int64_t shown = 0;
  for (const Interval& interval : running_) {
    shown_.push_back(shown);
    shown += interval.length();
  }
}

int64_t ProgramClock::at(int64_t ns) const {
  const auto after =
      std::ranges::partition_point(running_, [&](const Interval& i) { return i.begin <= ns; });
  if (after == running_.begin()) return 0;
  const auto i = static_cast<size_t>(after - running_.begin()) - 1;
  return shown_[i] + std::min(ns, running_[i].end) - running_[i].begin;
}

int64_t ProgramClock::total() const {
  return running_.empty() ? 0 : shown_.back() + running_.back().length();
}

}  // namespace weft
