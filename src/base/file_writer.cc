#include "base/file_writer.h"

#include <utility>

#include "base/error.h"

namespace weft {
namespace {

// Appends are buffered up to this size; larger ones are written directly.
constexpr size_t kBufferBytes = size_t{1} << 20;

void write_all(WritableFile& file, std::string_view bytes) {
  while (!bytes.empty()) bytes.remove_prefix(file.write(bytes));
}

}  // namespace

FileWriter::FileWriter(const std::filesystem::path& path, FileSystem& files)
    : file_(files.open(path, FileSystem::Mode::kReplace)) {}

void FileWriter::append(const void* data, size_t bytes) {
  require(file_ != nullptr, "append to a finished file");
  if (buffer_.size() + bytes > kBufferBytes) flush();
  const std::string_view span(static_cast<const char*>(data), bytes);
  if (bytes > kBufferBytes) {
    write_all(*file_, span);
  } else {
    buffer_.append(span);
  }
}

void FileWriter::flush() {
  write_all(*file_, buffer_);
  buffer_.clear();
}

void FileWriter::finish() {
  require(file_ != nullptr, "finish of a finished file");
  flush();
  file_->sync();
  std::exchange(file_, nullptr)->close();
}

AtomicFile::AtomicFile(std::filesystem::path path, FileSystem& files)
    : files_(files),
      path_(std::move(path)),
      partial_(path_.string() + ".partial"),
      writer_(partial_, files) {}

AtomicFile::~AtomicFile() {
  if (finished_) return;
  try {
    files_.remove_all(partial_);
  } catch (const Error&) {  // a destructor cannot report it
  }
}

void AtomicFile::finish() {
  writer_.finish();
  files_.rename(partial_, path_);
  finished_ = true;
  files_.sync_directory(path_.parent_path());
}

}  // namespace weft
