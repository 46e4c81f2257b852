// What the threads of a traced run spent their time on, and the FLOPs that it took.
#pragma once

#include "report/report.h"

namespace weft {

// Sums up the ops of trace.file by kind, the longest first, and by layer: "layer 3" for the ops of
// block 3, and last "outside of layers" for those of no block. Ops that wait for other ranks are
// left out. Fills in trace.steps, trace.kinds and trace.layers.
void profile_trace(ReportTrace& trace);

}  // namespace weft
