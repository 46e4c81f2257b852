// RunCounters: what a run's ops leave to read off over time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "timeline/timeline.h"

namespace weft {

// Means over equal slots of time.
struct RunCounters {
  std::vector<int64_t> begins_ns;  // of the slots
  // Ops that could run and have not begun: those they depend on have ended.
  std::vector<double> ready_ops;
  // Bytes of the tiles that an op declares (a tile that is read and written counts once) over the
  // time it takes, of all ops that are running. Communication is left out: what begins or waits for
  // a transfer does not move its bytes itself.
  std::vector<double> tile_gb_per_s;
};

// Empty if nothing ran. REQUIRES: slots > 0.
RunCounters run_counters(const TracedProgram& program, const TracedRun& run, size_t slots);

}  // namespace weft
