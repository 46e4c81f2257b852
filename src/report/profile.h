// What the threads of a traced run spent their time on, against what its arithmetic would take.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/config.h"
#include "report/report.h"

namespace weft {

// What is known of the run that a trace is of.
struct TracedModel {
  Config config;
  int64_t T = 0;                // of a sequence
  int64_t tokens_per_step = 0;  // of all ranks
};

// The ops of a trace by kind, the longest first, and by layer: those of block i are of "layer i",
// those of no block "outside of layers". model may be null: then no FLOPs are known.
// Fills in trace.steps, trace.kinds and trace.layers.
void profile_trace(const TracedModel* model, ReportTrace& trace);

}  // namespace weft
