// Joins the timelines that the ranks of a run recorded.
#pragma once

#include "comm/communicator.h"
#include "timeline/recorder.h"
#include "timeline/timeline.h"

namespace weft {

// A collective. Returns the timeline of all ranks on rank 0, and an empty one on the others. Time 0
// is the start of the first op on any rank.
//   workers: the number of this rank's executor
// REQUIRES: no run is being observed.
Timeline gather_timelines(const Trace& trace, int workers, Communicator& communicator);

}  // namespace weft
