// TraceFile: a trace in Chrome's JSON (timeline/perfetto_trace.h writes it) read back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "program/program.h"
#include "timeline/timeline.h"

namespace weft {

// A lane of the timeline.
struct TraceTrack {
  int64_t process = 0, thread = 0;  // pid and tid
  std::string process_name, name;   // "rank 0", "worker 1"; empty where the file names none
};

// The facts that slices of one op share.
struct TraceOp {
  std::string text;  // the name of its slices
  // In a file that has no names in parts (one of an older weft, or of another program), the kind is
  // the whole text.
  OpName name;
  double flops = 0.;  // 0 if the file has none
};

// Times are in nanoseconds.
struct TraceSlice {
  int64_t begin_ns = 0, duration_ns = 0;
  int64_t step = 0;       // 0 if the file has none
  uint32_t track = 0;     // an index into tracks
  uint32_t op = 0;        // an index into ops
  uint32_t category = 0;  // an index into categories: a phase, or "program" for a run of one
  bool critical = false;  // true if it is on the critical path; not every trace has one
};

struct TraceFile {
  std::vector<TraceOp> ops;
  std::vector<std::string> categories;
  std::vector<TraceTrack> tracks;  // by process, then thread
  std::vector<TraceSlice> slices;  // by track, then begin

  const TraceOp& op_of(const TraceSlice& slice) const { return ops[slice.op]; }
  const std::string& category_of(const TraceSlice& slice) const {
    return categories[slice.category];
  }

  bool is_run(const TraceSlice& slice) const;  // it is a run of a program, not an op
  bool waits(const TraceSlice& slice) const;   // it is an op that waits for other ranks
  // It is an op that occupies a worker.
  bool is_work(const TraceSlice& slice) const { return !is_run(slice) && !waits(slice); }
};

// Reads complete events and the names of processes and tracks, and skips all others. The file may
// be compressed with gzip.
// Throws Error (kInput) if the file is no trace or breaks off, or if a time or a number is out of
// range.
TraceFile read_trace_file(const std::filesystem::path& path);

// The ops of the workers of each process, within the runs of its programs. Ranks are numbered in
// the order of their processes. What lies outside of all runs, or on other tracks, is left out, so
// nothing is left of another program's trace. The file has no dependences and no bytes: there are
// no predecessors, and an op that waits is given worker 0. So activity() of the result is that of
// the timeline that was written, while its critical path and ideal replay mean nothing.
Timeline timeline_of(const TraceFile& file);

}  // namespace weft
