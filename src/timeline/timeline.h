// Timeline: which worker of which rank ran which op when. What records, computes or reads one
// shares this form: traces of real steps, the simulator, the files for Perfetto and Paraver, and
// the efficiency metrics.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "program/program.h"

namespace weft {

// What is kept of an op.
struct TracedOp {
  OpName name;
  Phase phase = Phase::kForward;
  bool waits = false;  // for other ranks: it has a poll, and occupies no worker
  int64_t bytes_read = 0, bytes_written = 0;  // of the tiles that it declares
};

// What is kept of a program, so that a timeline may outlive it.
struct TracedProgram {
  std::string name;
  std::vector<TracedOp> ops;                        // in list order
  std::vector<std::vector<uint32_t>> predecessors;  // by op: dependences() of the program
};

// When an op ran. The worker of an op that waits is the one that began it; the other ops of a
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
  std::vector<OpSpan> spans;  // by op; those of ops that did not run stay as they are
};

struct RankTimeline {
  int rank = 0;
  std::string name;  // "rank 1 on node7"
  int workers = 1;   // that there were; numbers of workers are below it
  std::vector<TracedProgram> programs;
  std::vector<TracedRun> runs;  // in the order in which they began; they do not overlap
};

// The times of all ranks have one origin, 0 or later.
struct Timeline {
  std::vector<RankTimeline> ranks;
};

// What a timeline keeps of this program.
TracedProgram traced(const Program& program);

// From when the first op of a run starts until the last one ends. Nothing ran if no op did.
OpSpan whole_span(const TracedRun& run);

// When the first op of all runs starts; the largest number if none ran.
int64_t begin_ns(const RankTimeline& timeline);

// Adds to all times.
void shift(RankTimeline& timeline, int64_t ns);

// Of ranks whose clocks agree: their times count from when the first op of all starts.
Timeline from_first_op(std::vector<RankTimeline> ranks);

// When the last op of all ranks ends; 0 if none ran.
int64_t end_ns(const Timeline& timeline);

// As bytes, to be sent to another rank of the run. timeline_from_bytes throws Error (kFailure)
// where they are not those of a timeline.
std::string to_bytes(const RankTimeline& timeline);
RankTimeline timeline_from_bytes(std::string_view bytes);

}  // namespace weft
