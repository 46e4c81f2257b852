// The ideal replay: how long a timeline would have been, had transfers taken no time.
#pragma once

#include "timeline/timeline.h"

namespace weft {

// Seconds, of the program clock (program_clock.h). Every op stays on its worker and in its place
// there, with its duration. It begins as long as in the timeline after the last of what it waited
// for: the op before on its worker, the ops that it depends on and, where each run of independent
// ops ended before the next began, as under fork-join, all ops of the run before. What lies between
// is the executor's own time, and stays.
//
// Only an op that waits for other ranks gets shorter: it ends when those ops of its own rank that
// it depends on have ended, and on every other rank those that the op of this name in the same step
// depends on there. Ranks that came later than its end in the timeline, it has not waited for: the
// source of a broadcast waits for nobody.
//
// So the result is the run time where nothing was transferred, never more than that, and never less
// than any worker's useful time. It is an approximation where the executor, without transfers,
// would have given ops to other workers or in another order, and where the processor's time went
// into the transfer itself. Between hosts it is as exact as their clocks agree.
double ideal_run_s(const Timeline& timeline);

}  // namespace weft
