#include "base/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <system_error>
#include <utility>

#include "base/file_writer.h"
#include "base/system_calls.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

Error write_error(std::string_view verb, const fs::path& path, int code) {
  return system_error(ErrorKind::kFailure, "file.write", verb, path, code);
}

// A file that does not support fsync (a pipe, /dev/null) fails with EINVAL: it has nothing to make
// durable.
void sync_or_throw(const fs::path& path, int fd) {
  if (uninterrupted([&] { return ::fsync(fd); }) != 0 && errno != EINVAL) {
    throw write_error("sync", path, errno);
  }
}

class DiskFile : public WritableFile {
 public:
  DiskFile(fs::path path, int flags)
      : path_(std::move(path)),
        file_(uninterrupted([&] { return ::open(path_.c_str(), flags, 0666); })) {
    if (file_.get() < 0) throw write_error("create", path_, errno);
  }

  size_t write(std::string_view bytes) override {
    const ssize_t n =
        uninterrupted([&] { return ::write(file_.get(), bytes.data(), bytes.size()); });
    if (n < 0) throw write_error("write", path_, errno);
    return static_cast<size_t>(n);
  }

  void sync() override { sync_or_throw(path_, file_.get()); }

  // Linux closes the descriptor even if close fails, so an interrupted close must not be repeated.
  void close() override {
    if (::close(file_.release()) != 0 && errno != EINTR) {
      throw write_error("close", path_, errno);
    }
  }

 private:
  fs::path path_;
  Descriptor file_;
};

class Disk : public FileSystem {
 public:
  std::unique_ptr<WritableFile> open(const fs::path& path, Mode mode) override {
    const int flags = mode == Mode::kAppend ? O_APPEND : O_TRUNC;
    return std::make_unique<DiskFile>(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags);
  }

  void rename(const fs::path& from, const fs::path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) throw write_error("rename", from, errno);
  }

  void remove_all(const fs::path& path) override {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) throw write_error("remove", path, error.value());
  }

  void create_directory(const fs::path& path) override {
    std::error_code error;
    fs::create_directory(path, error);
    if (error) throw write_error("create", path, error.value());
  }

  void sync_directory(const fs::path& path) override {
    const fs::path directory = path.empty() ? fs::path(".") : path;
    const Descriptor file(uninterrupted(
        [&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (file.get() < 0) throw write_error("open", directory, errno);
    sync_or_throw(directory, file.get());
  }
};

}  // namespace

FileSystem& disk() {
  static Disk the_disk;
  return the_disk;
}

void create_directories_durably(const fs::path& path, FileSystem& files) {
  std::error_code unreadable;  // ignored: creating the directory reports the reason
  if (path.empty() || fs::is_directory(path, unreadable)) return;
  create_directories_durably(path.parent_path(), files);
  files.create_directory(path);
  files.sync_directory(path.parent_path());
}

void write_file_durably(const fs::path& path, std::string_view bytes, FileSystem& files) {
  FileWriter writer(path, files);
  writer.append(bytes);
  writer.finish();
}

}  // namespace weft
