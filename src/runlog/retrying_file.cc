#include "runlog/retrying_file.h"

#include "base/error.h"

namespace weft {

PatientFile::PatientFile(const std::filesystem::path& path, FileSystem::Mode mode,
                         FileSystem& files)
    : file_(files.open(path, mode)) {
  files.sync_directory(path.parent_path());
}

std::string PatientFile::append(std::string_view bytes) {
  waiting_ += bytes;
  try {
    write_waiting();
    return {};
  } catch (const Error& error) {
    return error.hint().empty() ? error.message() : error.message() + "; " + error.hint();
  }
}

// What the disk took is taken off at once, so that the next try continues there.
void PatientFile::write_waiting() {
  while (!waiting_.empty()) waiting_.erase(0, file_->write(waiting_));
}

void PatientFile::sync() {
  write_waiting();
  file_->sync();
}

}  // namespace weft
