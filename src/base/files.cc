#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <new>
#include <utility>
#include <vector>

#include "base/system_calls.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBufferBytes = size_t{1} << 20;

// O_NONBLOCK keeps open() from waiting for the writer of a FIFO. Regular files ignore it.
int open_for_reading(const std::string& where, const fs::path& path) {
  const int fd =
      uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); });
  if (fd < 0) throw system_error(ErrorKind::kInput, where, "open", path, errno);
  return fd;
}

// Returns the size of an open file. Throws unless it is a regular file: other files have no size,
// and reading them may never end.
size_t regular_file_size(const std::string& where, const fs::path& path, int fd) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) {
    throw system_error(ErrorKind::kInput, where, "examine", path, errno);
  }
  if (S_ISDIR(status.st_mode)) throw system_error(ErrorKind::kInput, where, "read", path, EISDIR);
  if (!S_ISREG(status.st_mode)) {
    throw input_error(where, fmt::format("cannot read {}: not a regular file", path.string()),
                      "copy the data into a file first");
  }
  return static_cast<size_t>(status.st_size);
}

}  // namespace

// Reads to the end of the file rather than to its size, because files in /proc report size 0.
std::string read_file(const fs::path& path) {
  const std::string where = "file.read";
  const Descriptor file(open_for_reading(where, path));
  std::string content;
  size_t used = 0;
  try {
    // One byte more than the size, so that the first read already meets the end of the file.
    content.resize(regular_file_size(where, path, file.get()) + 1);
    while (true) {
      const ssize_t n = uninterrupted(
          [&] { return ::read(file.get(), content.data() + used, content.size() - used); });
      if (n < 0) throw system_error(ErrorKind::kInput, where, "read", path, errno);
      if (n == 0) break;
      used += static_cast<size_t>(n);
      if (used == content.size()) content.resize(used + kBufferBytes);
    }
  } catch (const std::bad_alloc&) {
    throw input_error(where,
                      fmt::format("cannot read {}: it does not fit in memory", path.string()));
  }
  content.resize(used);
  return content;
}

void read_file_in_pieces(const fs::path& path,
                         const std::function<void(std::span<const std::byte>)>& visit) {
  const std::string where = "file.read";
  const Descriptor file(open_for_reading(where, path));
  regular_file_size(where, path, file.get());  // throws unless it is a regular file
  std::vector<std::byte> buffer(kBufferBytes);
  while (true) {
    const ssize_t n =
        uninterrupted([&] { return ::read(file.get(), buffer.data(), buffer.size()); });
    if (n < 0) throw system_error(ErrorKind::kInput, where, "read", path, errno);
    if (n == 0) return;
    visit({buffer.data(), static_cast<size_t>(n)});
  }
}

MappedFile::MappedFile(const fs::path& path) {
  const std::string where = "file.map";
  const Descriptor file(open_for_reading(where, path));
  const size_t size = regular_file_size(where, path, file.get());
  if (size == 0) return;  // mmap fails for an empty range
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) throw system_error(ErrorKind::kInput, where, "map", path, errno);
  data_ = static_cast<const std::byte*>(address);
  size_ = size;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  MappedFile taken(std::move(other));  // on self-move, the second swap restores the members
  std::swap(data_, taken.data_);
  std::swap(size_, taken.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

// This is advice only: a failure costs nothing but memory.
void release_mapped(std::span<const std::byte> bytes) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const size_t into_page = reinterpret_cast<uintptr_t>(bytes.data()) % page;
  auto* first_page = const_cast<std::byte*>(bytes.data()) - into_page;
  ::madvise(first_page, bytes.size() + into_page, MADV_DONTNEED);
}

}  // namespace weft
