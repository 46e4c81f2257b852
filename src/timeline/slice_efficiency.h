// SliceEfficiency: what part of the threads' time the ops of a trace fill.
#pragma once

#include <cstdint>

#include "timeline/trace_file.h"

namespace weft {

// docs/metrics.md#efficiency defines the shares. All are 0 where nothing ran.
struct SliceEfficiency {
  int64_t threads = 0;            // of all ranks together
  double wall_s = 0.;             // inside of programs, of the rank that took longest
  double average_useful_s = 0.;   // inside of ops, by thread
  double greatest_useful_s = 0.;  // of the busiest thread

  double load_balance() const { return share(average_useful_s, greatest_useful_s); }
  double communication() const { return share(greatest_useful_s, wall_s); }
  double parallel() const { return share(average_useful_s, wall_s); }

 private:
  static double share(double part, double whole) { return whole > 0. ? part / whole : 0.; }
};

// least_threads: of all ranks, if known. A thread that never ran an op may be missing in a trace.
SliceEfficiency efficiency_of(const TraceFile& trace, int64_t least_threads = 0);

}  // namespace weft
