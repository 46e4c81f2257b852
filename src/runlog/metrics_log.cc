#include "runlog/metrics_log.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "base/file_writer.h"
#include "base/files.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// The lines of steps up to last_step. A torn last line, which a crash may leave, is dropped.
std::string kept_lines(const std::string& text, int64_t last_step) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const ordered_json record = ordered_json::parse(line, nullptr, false);
    if (!record.is_object()) continue;
    const auto step = record.find("step");
    const bool later =
        step != record.end() && step->is_number_integer() && step->get<int64_t>() > last_step;
    if (!later) kept += line + "\n";
  }
  return kept;
}

// Returns the path.
const fs::path& drop_lines_after(const fs::path& path, int64_t last_step, FileSystem& files) {
  std::error_code unreadable;
  if (!fs::exists(path, unreadable)) return path;
  AtomicFile rewritten(path, files);
  rewritten.append(kept_lines(read_file(path), last_step));
  rewritten.finish();
  return path;
}

}  // namespace

MetricsLog::MetricsLog(const fs::path& path, int64_t last_step, FileSystem& files)
    : file_(drop_lines_after(path, last_step, files), FileSystem::Mode::kAppend, files) {}

std::string MetricsLog::write(const ordered_json& record) {
  return file_.append(record.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace weft
