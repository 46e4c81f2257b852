// Writes a timeline in the format that the extension of the file's name asks for.
#pragma once

#include <filesystem>

#include "timeline/timeline.h"

namespace weft {

inline constexpr const char* kTimelineFiles =
    ".json, .json.gz (for Perfetto) or .prv (for Paraver)";

bool is_perfetto_path(const std::filesystem::path& path);
bool is_paraver_path(const std::filesystem::path& path);

// Throws Error (kFailure) if a file cannot be written.
// REQUIRES: the path has one of the extensions.
void write_timeline(const std::filesystem::path& path, const Timeline& timeline);

}  // namespace weft
