// ProgramClock: a clock that stands still while no rank runs a program.
#pragma once

#include <cstdint>
#include <vector>

#include "base/intervals.h"
#include "timeline/timeline.h"

namespace weft {

// Drawing a batch, logging and checkpoints lie between programs: they are no part of the time that
// efficiencies are shares of, unless another rank is at work meanwhile.
class ProgramClock {
 public:
  explicit ProgramClock(const Timeline& timeline);

  // What this clock shows, in nanoseconds, when the timeline's clock shows `ns`.
  int64_t at(int64_t ns) const;
  Interval at(const OpSpan& span) const { return {at(span.begin_ns), at(span.end_ns)}; }

  // At the end of the timeline: the run time.
  int64_t total() const;

 private:
  Intervals running_;
  std::vector<int64_t> shown_;  // at the beginning of each of them
};

}  // namespace weft
