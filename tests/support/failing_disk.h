// FailingDisk: the real disk, on which chosen calls fail.
#pragma once

#include <cerrno>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "base/file_system.h"

namespace weft {

// Counts the calls that change the disk, from 0. The calls in [first, first + count) fail with
// `code` and change nothing; the write before a failing write stores only a part of its bytes.
class FailingDisk : public FileSystem {
 public:
  struct Failure {
    size_t first, count;
    int code;
  };

  FailingDisk() = default;
  explicit FailingDisk(Failure failure) : failure_(failure) {}

  size_t calls() const { return calls_; }

  std::unique_ptr<WritableFile> open(const std::filesystem::path& path, Mode mode) override;
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void remove_all(const std::filesystem::path& path) override;
  void create_directory(const std::filesystem::path& path) override;
  void sync_directory(const std::filesystem::path& path) override;

 private:
  class File;

  void call(std::string_view verb, const std::filesystem::path& path);
  bool next_call_fails() const {
    return calls_ >= failure_.first && calls_ - failure_.first < failure_.count;
  }

  Failure failure_ = {SIZE_MAX, 0, 0};
  size_t calls_ = 0;
};

}  // namespace weft
