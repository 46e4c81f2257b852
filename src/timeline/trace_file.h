// TraceFile: a trace in Chrome's JSON (timeline/perfetto_trace.h writes it) read back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace weft {

// A lane of the timeline.
struct TraceTrack {
  int64_t process = 0, thread = 0;  // pid and tid
  std::string process_name, name;   // "rank 0", "worker 1"; empty where the file names none
};

// Begins and durations are in nanoseconds, the names are indices.
struct TraceSlice {
  int64_t begin_ns = 0, duration_ns = 0;
  int64_t step = 0;  // 0 where the file has none
  uint32_t track = 0;
  uint32_t name = 0;      // in names
  uint32_t category = 0;  // in categories: a phase, or "program" for a run of one
  bool critical = false;  // on the critical path, which not every trace has
};

struct TraceFile {
  std::vector<std::string> names, categories;
  std::vector<TraceTrack> tracks;  // by process, then thread
  std::vector<TraceSlice> slices;  // by track, then begin

  const std::string& category_of(const TraceSlice& slice) const {
    return categories[slice.category];
  }
  const std::string& name_of(const TraceSlice& slice) const { return names[slice.name]; }

  // A slice of an op that a worker is busy with: neither a run of a program nor what waits for
  // other ranks.
  bool is_work(const TraceSlice& slice) const;
};

// Reads complete events and the names of processes and tracks, and passes over all others. The file
// may be compressed with gzip.
// Throws Error (kInput): no trace, one that breaks off, or times and numbers that no trace has.
TraceFile read_trace_file(const std::filesystem::path& path);

}  // namespace weft
