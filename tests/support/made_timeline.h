// made_timeline: a timeline with given instead of measured times.
#pragma once

#include <string>
#include <vector>

#include "timeline/timeline.h"

namespace weft {

struct MadeOp {
  std::string kind;
  std::vector<uint32_t> after;  // predecessors
  int worker = 0;
  int64_t begin_ns = 0, end_ns = 0;
  Phase phase = Phase::kForward;
  bool waits = false;
  int64_t bytes = 0;  // read; half as many are written
  int64_t layer = OpName::kNone;
  std::string tile = {};
  double flops = 0.;
};

// One run of a program "step", as step 3 of rank 0.
inline RankTimeline made_timeline(const std::vector<MadeOp>& ops, int workers = 2) {
  RankTimeline timeline{.rank = 0,
                        .name = "rank 0 on here",
                        .workers = workers,
                        .programs = {{.name = "step", .ops = {}, .predecessors = {}}},
                        .runs = {{.step = 3, .program = 0, .spans = {}}}};
  for (const MadeOp& op : ops) {
    timeline.programs[0].ops.push_back(
        {.name = {.kind = op.kind, .layer = op.layer, .tile = op.tile},
         .phase = op.phase,
         .waits = op.waits,
         .bytes_read = op.bytes,
         .bytes_written = op.bytes / 2,
         .flops = op.flops});
    timeline.programs[0].predecessors.push_back(op.after);
    timeline.runs[0].spans.push_back({op.begin_ns, op.end_ns, op.worker});
  }
  return timeline;
}

}  // namespace weft
