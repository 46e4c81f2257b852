// The ideal replay: how long a timeline would have been if transfers had taken no time.
#pragma once

#include "timeline/timeline.h"

namespace weft {

// Seconds, by the program clock (program_clock.h). Each op stays on its worker, in its place there,
// and keeps its duration. It begins as long as in the timeline after the end of the last op that it
// waited for: the op before it on its worker, the ops that it depends on and, if each independent
// run ended before the next began (as under fork-join), all ops of the run before. The time between
// is the executor's own, and is kept.
//
// Only ops that wait for other ranks become shorter. Such an op ends when the ops that it depends
// on have ended, on its own rank and, for the op of the same name in the same step, on every other
// rank. A rank that got there only after the op's end in the timeline is left out, since the op did
// not wait for it: the source of a broadcast waits for no other rank.
//
// So the result equals the run time if nothing was transferred, never exceeds it, and is never less
// than any worker's useful time. It is an approximation if the executor, without transfers, would
// have given ops to other workers or in another order, or if the transfers themselves took
// processor time. Between hosts it is as exact as their clocks agree.
// REQUIRES: the timeline has the predecessors of its ops.
double ideal_run_s(const Timeline& timeline);

}  // namespace weft
