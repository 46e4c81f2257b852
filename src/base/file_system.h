// FileSystem: the calls that change the contents of a disk. All files that must survive a crash are
// written through this interface, so that tests can substitute a disk that fills up, fails, or
// loses its power between any two calls.
//
// After a power loss, a file holds the bytes for which sync() has returned and any part of the
// bytes written since. A directory holds the names for which sync_directory() has returned and any
// part of the changes since. So the durable order is always: write, sync, rename, sync the
// directory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string_view>

namespace weft {

// A file that is open for writing. The destructor closes it. Not thread-safe.
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  // Writes at least one byte and returns the number written. REQUIRES: bytes is not empty.
  virtual size_t write(std::string_view bytes) = 0;
  // Makes the bytes written so far survive a power loss.
  virtual void sync() = 0;
  // No other call may follow. Some disks report a failed write only here.
  virtual void close() = 0;
};

// Every method throws Error (kFailure) with the path, the reason and a hint (a full disk says so).
class FileSystem {
 public:
  enum class Mode { kReplace, kAppend };

  virtual ~FileSystem() = default;

  // Creates the file if it does not exist.
  virtual std::unique_ptr<WritableFile> open(const std::filesystem::path& path, Mode mode) = 0;
  // Replaces the file at `to`, if there is one. Both paths are on one disk.
  virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  // Removes a file, or a directory and its contents. Does nothing if the path does not exist.
  virtual void remove_all(const std::filesystem::path& path) = 0;
  // Creates a directory whose parent exists. Does nothing if the directory exists.
  virtual void create_directory(const std::filesystem::path& path) = 0;
  // Makes the names in the directory survive a power loss. An empty path is the current directory.
  virtual void sync_directory(const std::filesystem::path& path) = 0;
};

// The real file system. Thread-safe, without state.
FileSystem& disk();

// Creates the directory and its parents, durably.
void create_directories_durably(const std::filesystem::path& path, FileSystem& files = disk());

// Writes the bytes and syncs. If it throws, the file is not complete.
void write_file_durably(const std::filesystem::path& path, std::string_view bytes,
                        FileSystem& files = disk());

}  // namespace weft
