#include "formats/atomic_file.h"

#include <string>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace weft {

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), partial_(path_.string() + ".partial"), file_(partial_) {}

AtomicFile::~AtomicFile() {
  if (finished_) return;
  std::error_code ignored;  // a destructor has nobody to tell
  std::filesystem::remove(partial_, ignored);
}

void AtomicFile::finish() {
  file_.finish();
  std::error_code error;
  std::filesystem::rename(partial_, path_, error);
  if (error) {
    throw failure("file.write", "cannot rename " + partial_.string() + ": " + error.message());
  }
  finished_ = true;
  sync_directory(path_.has_parent_path() ? path_.parent_path() : ".");
}

}  // namespace weft
