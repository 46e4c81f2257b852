// Activity: how the workers of all ranks spent the time of a timeline.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "timeline/timeline.h"

namespace weft {

inline constexpr size_t kPhases = 5;  // of the enum Phase

// Seconds, summed over all workers.
struct PhaseTime {
  double busy_s = 0.;  // in ops of the phase
  double idle_s = 0.;  // idle before an op of the phase

  double efficiency() const;  // busy_s / (busy_s + idle_s); 0 if both are 0
};

// Only the time in which at least one rank runs a program counts (program_clock.h).
//
// Useful time is the time in ops that compute, that is, neither wait for other ranks nor begin a
// transfer. A rank communicates while a transfer begins or is under way and no worker of the rank
// is in useful time, and while it runs no program but another rank does. All other time of a rank
// is computing time: its idle workers then wait for ops of their own rank.
struct Activity {
  int64_t steps = 0;                          // steps in which an op ran
  double run_s = 0.;                          // R
  std::vector<std::vector<double>> useful_s;  // U: by rank, then by worker
  std::vector<double> computing_s;            // O: by rank

  // By phase. In computing time, the idle time of a worker belongs to the phase of the op that it
  // runs next or, after its last op, of the op that ends the program. While the rank communicates
  // it belongs to kCommunication. So the sum over all phases is run_s times the number of workers.
  std::array<PhaseTime, kPhases> phases = {};

  const PhaseTime& phase(Phase p) const { return phases[static_cast<size_t>(p)]; }
  int64_t workers() const;  // of all ranks
  double useful_sum_s() const;
  double most_useful_s() const;  // of the busiest worker
};

Activity activity(const Timeline& timeline);

}  // namespace weft
