// Writes timelines for https://ui.perfetto.dev and chrome://tracing. docs/timelines.md describes
// the display.
#pragma once

#include <filesystem>

#include "timeline/timeline.h"

namespace weft {

// Chrome trace JSON, compressed with gzip if the name ends in .gz. A rank is a process, with these
// tracks:
//
//   1                      the runs of programs
//   2 .. 1 + workers       the ops of each worker
//   after them             ops that wait, on as many tracks as there are such ops at a time
//
// A slice has the facts of its op as arguments, so that a reader need not take names apart. Arrows
// follow the critical path of each run. The counters are those of RunCounters.
// Throws Error (kFailure) if the file cannot be written.
void write_perfetto(const std::filesystem::path& path, const Timeline& timeline);

}  // namespace weft
