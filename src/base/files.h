// Files that come and go by RAII: whole reads, memory maps, and directories that appear by rename.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace weft {

// The whole file. Throws Error (kInput) that names the path and the reason: missing, a directory,
// unreadable.
std::string read_file(const std::filesystem::path& path);

// Calls visit with one piece of the file after the other, so that a large file needs little memory.
// Throws Error (kInput) as read_file does.
void read_file_in_pieces(const std::filesystem::path& path,
                         const std::function<void(std::span<const std::byte>)>& visit);

// Writes the bytes and fsyncs. Throws Error (kFailure) with the path, the reason and a hint (a full
// disk says so); the file is then not complete.
void write_file_durably(const std::filesystem::path& path, std::string_view bytes);

// fsync of a directory: makes the names in it survive a power loss.
void sync_directory(const std::filesystem::path& path);

// A read-only memory map of a regular file. Movable. An empty file has empty bytes().
// Throws Error (kInput) that names the path and the reason.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// Gives the memory of these bytes back to the system; they are read from the file again when they
// are next looked at. Pages of a mapped file count as memory of the process that has touched them.
// REQUIRES: the bytes are part of a MappedFile.
void release_mapped(std::span<const std::byte> bytes);

// A file that is being written: create, append, then finish (flush, fsync, close). If finish is not
// called, the destructor closes and leaves what was written so far. Small appends are gathered.
// Throws Error (kFailure).
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void append(const void* data, size_t bytes);
  void append(std::string_view text) { append(text.data(), text.size()); }
  void finish();

 private:
  void flush();

  std::filesystem::path path_;
  std::string buffer_;  // appended, not yet written
  int fd_ = -1;
};

}  // namespace weft
