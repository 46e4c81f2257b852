// FileSystem: the calls that change what is on a disk. Whatever must survive a crash goes through
// this interface, so that tests can put a disk in its place that fills up, fails, or loses its
// power between any two calls.
//
// What a power loss leaves: of a file, the bytes that sync() returned for, and any part of what was
// written since; of a directory, the names that sync_directory() returned for, and any part of what
// was created, renamed or removed in it since. So the durable order is always: write, sync, rename,
// sync the directory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string_view>

namespace weft {

// A file that is open for writing, not thread-safe. The destructor closes it.
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  // Writes at least one byte, and says how many. REQUIRES: bytes is not empty.
  virtual size_t write(std::string_view bytes) = 0;
  // What has been written survives a power loss.
  virtual void sync() = 0;
  // Nothing may follow. Some disks report a failed write only here.
  virtual void close() = 0;
};

// Every method throws Error (kFailure) with the path, the reason and a hint (a full disk says so).
class FileSystem {
 public:
  enum class Mode { kReplace, kAppend };

  virtual ~FileSystem() = default;

  // Creates the file if it is not there.
  virtual std::unique_ptr<WritableFile> open(const std::filesystem::path& path, Mode mode) = 0;
  // Replaces a file that stands at `to`; both are on one disk.
  virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  // A file, or a directory with all that is in it. Nothing happens where there is nothing.
  virtual void remove_all(const std::filesystem::path& path) = 0;
  // One directory, in one that exists. Nothing happens where there is one.
  virtual void create_directory(const std::filesystem::path& path) = 0;
  // The names in the directory survive a power loss. An empty path is the current directory.
  virtual void sync_directory(const std::filesystem::path& path) = 0;
};

// The machine's own; thread-safe, without state.
FileSystem& disk();

// Makes the directory and those above it, durably.
void create_directories_durably(const std::filesystem::path& path, FileSystem& files = disk());

// Writes the bytes and syncs. If it throws, the file is not complete.
void write_file_durably(const std::filesystem::path& path, std::string_view bytes,
                        FileSystem& files = disk());

}  // namespace weft
