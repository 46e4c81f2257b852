// The files that a timeline can become, which differ in the ends of their names.
#pragma once

#include <filesystem>

#include "timeline/timeline.h"

namespace weft {

inline constexpr const char* kTimelineFiles =
    ".json, .json.gz (for Perfetto) or .prv (for Paraver)";

bool names_perfetto(const std::filesystem::path& path);
bool names_paraver(const std::filesystem::path& path);

// Throws Error (kFailure) if a file cannot be written.
// REQUIRES: the path names one of the two.
void write_timeline(const std::filesystem::path& path, const Timeline& timeline);

}  // namespace weft
