// Activity: what the workers of all ranks did with the time of a timeline.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "timeline/timeline.h"

namespace weft {

inline constexpr size_t kPhases = 5;  // of program/program.h

// Seconds of all workers together.
struct PhaseTime {
  double busy_s = 0.;  // in ops of the phase
  double idle_s = 0.;  // what workers waited before such ops

  double efficiency() const;  // busy_s of both; 0 where nothing happened
};

// All of it is in the time in which at least one rank runs a program (program_clock.h).
//
// Useful is the time in an op that computes: one that neither waits for other ranks nor begins a
// transfer. A rank communicates where none of its workers is at anything useful while a transfer
// begins or is under way, and where it runs no program while others do. All other time of a rank
// is computing: workers that are idle then wait for ops of their own rank.
struct Activity {
  int64_t steps = 0;                          // of which something ran
  double run_s = 0.;                          // R
  std::vector<std::vector<double>> useful_s;  // U: by rank, then by worker
  std::vector<double> computing_s;            // O: by rank

  // By phase. A worker that is idle in a rank's computing time waits for the op that it runs next;
  // after its last one, for the op that ends the program. Idle time in which the rank communicates
  // is of kCommunication. So the sum over all phases is run_s times the workers.
  std::array<PhaseTime, kPhases> phases = {};

  const PhaseTime& phase(Phase p) const { return phases[static_cast<size_t>(p)]; }
  int64_t workers() const;  // of all ranks
  double useful_sum_s() const;
};

Activity activity(const Timeline& timeline);

}  // namespace weft
