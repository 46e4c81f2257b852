// simulate: plays a program on workers that need not exist, by what each of its ops costs.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "exec/executor.h"
#include "timeline/program_graph.h"
#include "timeline/timeline.h"

namespace weft {

// What an op costs, in seconds and bytes.
struct OpCost {
  double seconds = 0.;       // on its worker, where memory gives it all that it asks for
  double memory_bytes = 0.;  // that it moves meanwhile; 0: memory does not bound it
  double transfer_s = 0.;    // of the transfer that it begins, alone on the link
};

struct SimulatedMachine {
  Scheduling scheduling = Scheduling::kDataflow;
  int workers = 1;            // one for kListOrder
  double op_overhead_s = 0.;  // that a worker spends on each op besides
  double barrier_s = 0.;      // kForkJoin: from the last op of a run to the first of the next
  // Shared by the ops that move bytes: those that run at once slow down alike where they ask for
  // more than this.
  double memory_bytes_per_s = std::numeric_limits<double>::infinity();
};

struct SimulatedSpan {
  double begin_s = 0., end_s = 0.;
  int worker = 0;  // of an op that waits, the one that began it
};

struct SimulatedTransfer {
  uint32_t op = 0;  // that began it
  double begin_s = 0., end_s = 0.;
};

struct SimulatedRun {
  double seconds = 0.;
  double useful_s = 0.;                      // in ops that do not wait, all workers together
  std::vector<SimulatedSpan> spans;          // by op
  std::vector<SimulatedTransfer> transfers;  // in the order of the link
};

// Runs the program once, from time 0. The link carries one transfer at a time, in the order in
// which they begin, without a worker's help. A transfer that has ended is noticed by a worker that
// has nothing to do or has just ended an op, as in exec/. The same arguments give the same result.
//   costs: by op; not_before: by op that begins a transfer, when others are ready for it, or empty
// REQUIRES: costs are finite and not negative, and the machine's numbers are positive, overheads 0
// or more.
SimulatedRun simulate(const ProgramGraph& graph, const std::vector<OpCost>& costs,
                      const SimulatedMachine& machine, const std::vector<double>& not_before = {});

// Seconds for which the link was busy, and how much of that the workers were in ops, on average.
struct SimulatedOverlap {
  double all_s = 0., hidden_s = 0.;
};
SimulatedOverlap overlap_of(const SimulatedRun& run, const ProgramGraph& graph, int workers);

// Adds a run of the graph as part of step 1, `after_s` seconds after the origin.
void append_run(RankTimeline& timeline, const ProgramGraph& graph, const SimulatedRun& run,
                double after_s);

}  // namespace weft
