// FileWriter writes a whole file; AtomicFile makes it appear complete or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"

namespace weft {

// Usage: construct, append, finish (which writes, syncs and closes). If finish is not called, the
// destructor closes the file and leaves the bytes written so far. Small appends are buffered.
// Throws Error (kFailure).
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& path, FileSystem& files = disk());

  void append(const void* data, size_t bytes);
  void append(std::string_view text) { append(text.data(), text.size()); }
  void finish();

 private:
  void flush();

  std::unique_ptr<WritableFile> file_;  // null once finished
  std::string buffer_;                  // appended, not yet written
};

// Writes `<path>.partial` and renames it in finish(). The old file at `path` stays whole until
// then, so its readers (even those that map it) are safe. Without finish, the destructor removes
// the partial file. Throws Error (kFailure).
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path, FileSystem& files = disk());
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void append(const void* data, size_t bytes) { writer_.append(data, bytes); }
  void append(std::string_view text) { writer_.append(text); }
  void finish();

 private:
  FileSystem& files_;
  std::filesystem::path path_;
  std::filesystem::path partial_;
  FileWriter writer_;
  bool finished_ = false;
};

}  // namespace weft
