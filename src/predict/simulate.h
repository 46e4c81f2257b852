// simulate: the schedule of a program on simulated workers, from the costs of its ops.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "exec/executor.h"
#include "timeline/timeline.h"

namespace weft {

// The cost of an op.
struct OpCost {
  double seconds = 0.;       // on its worker, at full memory bandwidth
  double memory_bytes = 0.;  // moved in that time; 0: memory does not limit it
  double transfer_s = 0.;    // of the transfer that it begins, alone on the link
};

struct SimulatedMachine {
  Scheduling scheduling = Scheduling::kDataflow;
  int workers = 1;            // one for kListOrder
  double op_overhead_s = 0.;  // added to each op, on its worker
  double barrier_s = 0.;      // kForkJoin: from the last op of a run to the first of the next
  // Bandwidth that all running ops share. If together they need more, all of them slow down by the
  // same factor.
  double memory_bytes_per_s = std::numeric_limits<double>::infinity();
};

struct SimulatedSpan {
  double begin_s = 0., end_s = 0.;
  int worker = 0;  // for an op that waits, the worker that started it
};

struct SimulatedTransfer {
  uint32_t op = 0;  // the op that begins it
  double begin_s = 0., end_s = 0.;
};

struct SimulatedRun {
  double seconds = 0.;
  double useful_s = 0.;                      // in ops that do not wait, all workers together
  std::vector<SimulatedSpan> spans;          // by op
  std::vector<SimulatedTransfer> transfers;  // in the order of the link
};

// Runs the program once, from time 0. The link carries one transfer at a time, in the order in
// which they begin, and needs no worker. As in exec/, the end of a transfer is seen by the next
// worker that is idle or has ended an op. The same arguments give the same result.
//   costs: by op
//   not_before: by op that begins a transfer, when the other ranks are ready for it; or empty
// Throws Error (kFailure) if an op waits for a transfer that no op begins.
// REQUIRES: costs are finite and not negative, and the machine's numbers are positive, overheads 0
// or more.
SimulatedRun simulate(const TracedProgram& program, const std::vector<OpCost>& costs,
                      const SimulatedMachine& machine, const std::vector<double>& not_before = {});

struct SimulatedOverlap {
  double all_s = 0.;     // time in which the link was busy
  double hidden_s = 0.;  // the part of it that workers spent in ops, on average
};
SimulatedOverlap overlap_of(const SimulatedRun& run, const TracedProgram& program, int workers);

// Appends a run of the program to the timeline, as part of step 1, `after_s` seconds after the
// origin.
void append_run(RankTimeline& timeline, const TracedProgram& program, const SimulatedRun& run,
                double after_s);

}  // namespace weft
