// ProgramClock: a clock that stops while no rank runs a program.
#pragma once

#include <cstdint>
#include <vector>

#include "base/intervals.h"
#include "timeline/timeline.h"

namespace weft {

// Batches, logs and checkpoints come between programs. Efficiencies are shares of the time that
// this clock counts, so such gaps do not lower them, unless another rank runs a program meanwhile.
class ProgramClock {
 public:
  explicit ProgramClock(const Timeline& timeline);

  // The reading of this clock, in nanoseconds, at time `ns` of the timeline.
  int64_t at(int64_t ns) const;
  Interval at(const OpSpan& span) const { return {at(span.begin_ns), at(span.end_ns)}; }

  // The reading at the end of the timeline: the run time.
  int64_t total() const;

 private:
  Intervals running_;
  std::vector<int64_t> shown_;  // the reading at the begin of each interval
};

}  // namespace weft
