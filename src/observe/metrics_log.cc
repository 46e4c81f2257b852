#include "observe/metrics_log.h"

#include <sstream>
#include <string_view>

#include "base/error.h"
#include "base/file_writer.h"
#include "base/files.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// The lines of steps up to last_step. A torn last line, of a run that lost its machine, is dropped.
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

void drop_lines_after(const fs::path& path, int64_t last_step, FileSystem& files) {
  std::error_code unreadable;
  if (!fs::exists(path, unreadable)) return;
  AtomicFile rewritten(path, files);
  rewritten.append(kept_lines(read_file(path), last_step));
  rewritten.finish();
}

}  // namespace

MetricsLog::MetricsLog(const fs::path& path, int64_t last_step, FileSystem& files) {
  drop_lines_after(path, last_step, files);
  file_ = files.open(path, FileSystem::Mode::kAppend);
  files.sync_directory(path.parent_path());
}

std::string MetricsLog::write(const ordered_json& record) {
  waiting_ += record.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  try {
    write_waiting();
    return {};
  } catch (const Error& error) {
    return error.hint().empty() ? error.message() : error.message() + "; " + error.hint();
  }
}

// What the disk took of a line is taken off at once, so that the next try continues there.
void MetricsLog::write_waiting() {
  while (!waiting_.empty()) waiting_.erase(0, file_->write(waiting_));
}

void MetricsLog::sync() {
  write_waiting();
  file_->sync();
}

}  // namespace weft
