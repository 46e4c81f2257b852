// The timelines that the ranks of a run recorded, as one.
#pragma once

#include "comm/communicator.h"
#include "timeline/recorder.h"
#include "timeline/timeline.h"

namespace weft {

// On rank 0, of all ranks; elsewhere, of none. Counts from when the first op of all starts. A
// collective. workers: of this rank's executor. REQUIRES: no run is being observed.
Timeline gather_timelines(const Trace& trace, int workers, Communicator& communicator);

}  // namespace weft
