// Reads files: whole, in pieces, or mapped. base/file_system.h writes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace weft {

// Returns the content of a file. Throws Error (kInput) that names the path and the reason: missing,
// a directory, unreadable.
std::string read_file(const std::filesystem::path& path);

// Calls visit with one piece of the file after another, so that a large file needs little memory.
// Throws Error (kInput) as read_file does.
void read_file_in_pieces(const std::filesystem::path& path,
                         const std::function<void(std::span<const std::byte>)>& visit);

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

// Returns the memory of these bytes to the system, because touched pages of a mapped file count as
// memory of the process. The next access reads the bytes from the file again.
// REQUIRES: the bytes are part of a MappedFile.
void release_mapped(std::span<const std::byte> bytes);

}  // namespace weft
