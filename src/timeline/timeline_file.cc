#include "timeline/timeline_file.h"

#include <string>

#include "base/error.h"
#include "timeline/paraver_trace.h"
#include "timeline/perfetto_trace.h"

namespace weft {

bool is_perfetto_path(const std::filesystem::path& path) {
  const std::string name = path.string();
  return name.ends_with(".json") || name.ends_with(".json.gz");
}

bool is_paraver_path(const std::filesystem::path& path) { return path.extension() == ".prv"; }

void write_timeline(const std::filesystem::path& path, const Timeline& timeline) {
  require(is_perfetto_path(path) || is_paraver_path(path),
          "the file of a timeline has a known name");
  if (is_paraver_path(path)) {
    write_paraver(path, timeline);
  } else {
    write_perfetto(path, timeline);
  }
}

}  // namespace weft
