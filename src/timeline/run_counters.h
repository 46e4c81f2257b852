// RunCounters: the number of ready ops and the tile traffic of a run over time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "timeline/timeline.h"

namespace weft {

// Means over time slots of equal length.
struct RunCounters {
  std::vector<int64_t> begins_ns;  // of the slots
  // Ops whose predecessors have ended and that have not begun.
  std::vector<double> ready_ops;
  // The sum over all running ops of the bytes of the tiles that an op declares (a tile that it
  // reads and writes counts once), divided by the time that it takes. Communication is left out,
  // because an op that begins or waits for a transfer does not move its bytes itself.
  std::vector<double> tile_gb_per_s;
};

// Empty if no op ran. REQUIRES: slots > 0.
RunCounters run_counters(const TracedProgram& program, const TracedRun& run, size_t slots);

}  // namespace weft
