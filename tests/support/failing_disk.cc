#include "support/failing_disk.h"

#include "base/system_calls.h"

namespace weft {

namespace fs = std::filesystem;

class FailingDisk::File : public WritableFile {
 public:
  File(FailingDisk& owner, fs::path path, Mode mode)
      : owner_(owner), path_(std::move(path)), file_(disk().open(path_, mode)) {}

  // The call before a failing one writes half of its bytes: disks fill up in the middle of a write.
  size_t write(std::string_view bytes) override {
    owner_.call("write", path_);
    const size_t taken = owner_.next_call_fails() ? (bytes.size() + 1) / 2 : bytes.size();
    return file_->write(bytes.substr(0, taken));
  }
  void sync() override {
    owner_.call("sync", path_);
    file_->sync();
  }
  void close() override {
    owner_.call("close", path_);
    file_->close();
  }

 private:
  FailingDisk& owner_;
  fs::path path_;
  std::unique_ptr<WritableFile> file_;
};

void FailingDisk::call(std::string_view verb, const fs::path& path) {
  const bool fails = next_call_fails();
  ++calls_;
  if (fails) throw system_error(ErrorKind::kFailure, "file.write", verb, path, failure_.code);
}

std::unique_ptr<WritableFile> FailingDisk::open(const fs::path& path, Mode mode) {
  call("create", path);
  return std::make_unique<File>(*this, path, mode);
}

void FailingDisk::rename(const fs::path& from, const fs::path& to) {
  call("rename", from);
  disk().rename(from, to);
}

void FailingDisk::remove_all(const fs::path& path) {
  call("remove", path);
  disk().remove_all(path);
}

void FailingDisk::create_directory(const fs::path& path) {
  call("create", path);
  disk().create_directory(path);
}

void FailingDisk::sync_directory(const fs::path& path) {
  call("sync", path);
  disk().sync_directory(path);
}

}  // namespace weft
