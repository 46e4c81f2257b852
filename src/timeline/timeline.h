// Timeline: which worker of which rank ran which op when. Recorded traces, simulated steps, the
// files for Perfetto and Paraver and the efficiency metrics all use this form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "program/program.h"

namespace weft {

// The facts of an op that a timeline keeps.
struct TracedOp {
  static constexpr uint32_t kNone = UINT32_MAX;

  OpName name;
  Phase phase = Phase::kForward;
  bool waits = false;  // it waits for other ranks (it has a poll), and occupies no worker
  int64_t bytes_read = 0, bytes_written = 0;  // of the tiles that it declares
  double flops = 0.;                          // Op::flops
  // For an op that waits: the earlier op that begins its transfer (Op::begins), or kNone.
  uint32_t begun_by = kNone;
};

// A program without the functions and tiles of its ops: the facts of each op and the graph of their
// dependences. A timeline keeps it because the program may be gone, and the simulator needs no
// more.
struct TracedProgram {
  std::string name;
  std::vector<TracedOp> ops;                        // in list order
  std::vector<std::vector<uint32_t>> predecessors;  // by op: dependences() of the program
};

// When an op ran. The worker of an op that waits is the one that started it. The other ops of a
// worker do not overlap.
struct OpSpan {
  int64_t begin_ns = 0, end_ns = 0;
  int32_t worker = 0;

  bool ran() const { return end_ns != 0; }
};

// One run of a program, as part of a step that counts from 1.
struct TracedRun {
  int64_t step = 0;
  uint32_t program = 0;       // an index into RankTimeline::programs
  std::vector<OpSpan> spans;  // by op; an op that did not run has an empty one
};

struct RankTimeline {
  int rank = 0;
  std::string name;  // "rank 1 on node7"
  int workers = 1;   // of its executor, also those that ran no op
  std::vector<TracedProgram> programs;
  std::vector<TracedRun> runs;  // in the order in which they began; they do not overlap
};

// The times of all ranks count from the same moment, and are 0 or later.
struct Timeline {
  std::vector<RankTimeline> ranks;
};

TracedProgram traced(const Program& program);

// The same cut as independent_runs(const Program&), from the dependences.
std::vector<size_t> independent_runs(const TracedProgram& program);

// From the start of the first op of a run to the end of the last one; empty if no op ran.
OpSpan whole_span(const TracedRun& run);

// When the first op of all runs starts; the largest number if none ran.
int64_t begin_ns(const RankTimeline& timeline);

// Adds `ns` to all times.
void shift(RankTimeline& timeline, int64_t ns);

// Joins ranks whose clocks agree. Times then count from the start of the first op of all ranks.
Timeline from_first_op(std::vector<RankTimeline> ranks);

// When the last op of all ranks ends; 0 if none ran.
int64_t end_ns(const Timeline& timeline);

// Serializes a timeline, to send it to another rank of the run. timeline_from_bytes throws Error
// (kFailure) if the bytes are not those of a timeline.
std::string to_bytes(const RankTimeline& timeline);
RankTimeline timeline_from_bytes(std::string_view bytes);

}  // namespace weft
