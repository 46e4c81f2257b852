#include "observe/metrics_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>
#include <string>

#include "base/error.h"
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

Error io_error(const fs::path& path) {
  return failure("metrics", fmt::format("cannot write {}: {}", path.string(), strerror(errno)),
                 errno == ENOSPC ? "the disk is full: free some space, then --resume" : "");
}

}  // namespace

MetricsLog::MetricsLog(const fs::path& path, int64_t last_step) : path_(path) {
  if (fs::exists(path)) {
    const fs::path rewritten = path.string() + ".partial";
    write_file_durably(rewritten, kept_lines(read_file(path), last_step));
    fs::rename(rewritten, path);
  }
  fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) throw io_error(path);
}

MetricsLog::~MetricsLog() {
  if (fd_ >= 0) close(fd_);
}

void MetricsLog::write(const ordered_json& record) {
  const std::string line =
      record.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t n = ::write(fd_, line.data() + done, line.size() - done);
    if (n < 0 && errno != EINTR) throw io_error(path_);
    if (n > 0) done += size_t(n);
  }
}

}  // namespace weft
