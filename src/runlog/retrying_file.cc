#include "runlog/retrying_file.h"

#include "base/error.h"

namespace weft {

RetryingFile::RetryingFile(const std::filesystem::path& path, FileSystem::Mode mode,
                           FileSystem& files)
    : file_(files.open(path, mode)) {
  files.sync_directory(path.parent_path());
}

std::string RetryingFile::append(std::string_view bytes) {
  pending_ += bytes;
  try {
    write_pending();
    return {};
  } catch (const Error& error) {
    return error.hint().empty() ? error.message() : error.message() + "; " + error.hint();
  }
}

// Bytes are removed as soon as they are written, so that the next attempt continues behind them.
void RetryingFile::write_pending() {
  while (!pending_.empty()) pending_.erase(0, file_->write(pending_));
}

void RetryingFile::sync() {
  write_pending();
  file_->sync();
}

}  // namespace weft
