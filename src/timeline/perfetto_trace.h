// A timeline as a file for https://ui.perfetto.dev and chrome://tracing. docs/timelines.md says
// what one sees there.
#pragma once

#include <filesystem>

#include "timeline/timeline.h"

namespace weft {

// Chrome trace JSON, compressed with gzip if the name ends in .gz. A rank is a process, with these
// tracks:
//
//   1                      the runs of programs
//   2 .. 1 + workers       the ops of each worker
//   after them             ops that wait, on as many as there are at a time
//
// Arrows lead along the critical path of each run. Counters are those of RunCounters, thinned.
// Throws Error (kFailure) if the file cannot be written.
void write_perfetto(const std::filesystem::path& path, const Timeline& timeline);

}  // namespace weft
