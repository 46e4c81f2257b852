#include "support/power_loss_disk.h"

#include <fstream>
#include <map>
#include <optional>
#include <random>

namespace weft {
namespace {

namespace fs = std::filesystem;

std::string parent_of(const std::string& path) { return fs::path(path).parent_path().string(); }

bool is_inside(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

}  // namespace

class PowerLossDisk::File : public WritableFile {
 public:
  File(PowerLossDisk& owner, const fs::path& path, Mode mode, size_t id)
      : owner_(owner), file_(disk().open(path, mode)), id_(id) {}

  size_t write(std::string_view bytes) override {
    const size_t n = file_->write(bytes);
    owner_.record({Call::Kind::kWrite, {}, {}, id_, std::string(bytes.substr(0, n))});
    return n;
  }
  void sync() override {
    file_->sync();
    owner_.record({Call::Kind::kSync, {}, {}, id_, {}});
  }
  void close() override { file_->close(); }

 private:
  PowerLossDisk& owner_;
  std::unique_ptr<WritableFile> file_;
  size_t id_;
};

std::string PowerLossDisk::relative(const fs::path& path) const {
  const std::string name = path.lexically_relative(root_).string();
  return name == "." ? "" : name;
}

std::unique_ptr<WritableFile> PowerLossDisk::open(const fs::path& path, Mode mode) {
  const std::string name = relative(path);
  std::optional<size_t> known;
  for (const auto& [other, id] : names_) {
    if (other == name) known = id;
  }
  const size_t id = known.value_or(files_);
  auto file = std::make_unique<File>(*this, path, mode, id);
  if (!known) {
    ++files_;
    names_.emplace_back(name, id);
    record({Call::Kind::kCreate, name, {}, id, {}});
  } else if (mode == Mode::kReplace) {
    record({Call::Kind::kTruncate, name, {}, id, {}});
  }
  return file;
}

void PowerLossDisk::rename(const fs::path& from, const fs::path& to) {
  disk().rename(from, to);
  const std::string source = relative(from), target = relative(to);
  std::erase_if(names_, [&](const auto& entry) { return is_inside(entry.first, target); });
  for (auto& [name, id] : names_) {
    if (is_inside(name, source)) name = target + name.substr(source.size());
  }
  record({Call::Kind::kRename, source, target, 0, {}});
}

void PowerLossDisk::remove_all(const fs::path& path) {
  if (!fs::exists(path)) return;
  disk().remove_all(path);
  const std::string removed = relative(path);
  std::erase_if(names_, [&](const auto& entry) { return is_inside(entry.first, removed); });
  record({Call::Kind::kRemove, removed, {}, 0, {}});
}

void PowerLossDisk::create_directory(const fs::path& path) {
  if (fs::exists(path)) return;
  disk().create_directory(path);
  record({Call::Kind::kMakeDirectory, relative(path), {}, 0, {}});
}

void PowerLossDisk::sync_directory(const fs::path& path) {
  disk().sync_directory(path);
  record({Call::Kind::kSyncNames, relative(path), {}, 0, {}});
}

// Repeats the calls, without those that the power loss undoes.
class PowerLossDisk::Replay {
 public:
  Replay(std::vector<Call> calls, Luck luck, uint64_t seed)
      : calls_(std::move(calls)), luck_(luck), random_(seed) {
    if (luck == Luck::kTorn) kept_names_ = random_() % (calls_.size() + 1);
    for (size_t i = 0; i < calls_.size(); ++i) {
      const Call& call = calls_[i];
      if (call.kind >= Call::Kind::kRename || call.kind == Call::Kind::kCreate) {
        if (survives(i)) change_names(call);
      } else {
        change_data(call);
      }
    }
  }

  void write_to(const fs::path& target) {
    for (const auto& [name, file] : names_) {
      if (!file) {
        fs::create_directories(target / name);
      } else {
        fs::create_directories((target / name).parent_path());
        std::ofstream(target / name, std::ios::binary) << left_of(data_[*file]);
      }
    }
  }

 private:
  struct Data {
    std::string now, synced;
  };

  // True if a change of names survives, because its directory was synced afterwards or by chance. A
  // file system with a journal keeps the changes up to some moment, in their order.
  bool survives(size_t i) const {
    if (luck_ == Luck::kNamesKept || luck_ == Luck::kAllKept || i < kept_names_) return true;
    const std::string directory = parent_of(calls_[i].path);
    for (size_t j = i + 1; j < calls_.size(); ++j) {
      if (calls_[j].kind == Call::Kind::kSyncNames && calls_[j].path == directory) return true;
    }
    return false;
  }

  void change_names(const Call& call) {
    switch (call.kind) {
      case Call::Kind::kCreate:
        names_[call.path] = call.file;
        break;
      case Call::Kind::kMakeDirectory:
        names_[call.path] = std::nullopt;
        break;
      case Call::Kind::kRemove:
        remove(call.path);
        break;
      case Call::Kind::kRename:
        rename(call.path, call.to);
        break;
      default:
        break;
    }
  }

  void change_data(const Call& call) {
    Data& data = data_[call.file];
    if (call.kind == Call::Kind::kTruncate) data.now.clear();
    if (call.kind == Call::Kind::kWrite) data.now += call.bytes;
    if (call.kind == Call::Kind::kSync) data.synced = data.now;
  }

  void remove(const std::string& path) {
    std::erase_if(names_, [&](const auto& entry) { return is_inside(entry.first, path); });
  }

  void rename(const std::string& from, const std::string& to) {
    std::map<std::string, std::optional<size_t>> moved;
    for (const auto& [name, file] : names_) {
      if (is_inside(name, from)) moved[to + name.substr(from.size())] = file;
    }
    if (moved.empty()) return;  // the source was lost, too
    remove(from);
    remove(to);
    names_.merge(moved);
  }

  std::string left_of(const Data& data) {
    if (luck_ == Luck::kAllKept) return data.now;
    if (luck_ != Luck::kTorn) return data.synced;
    if (!data.now.starts_with(data.synced)) return random_() % 2 == 0 ? data.now : data.synced;
    const size_t unsynced = data.now.size() - data.synced.size();
    return data.now.substr(0, data.synced.size() + random_() % (unsynced + 1));
  }

  std::vector<Call> calls_;
  Luck luck_;
  std::mt19937_64 random_;
  size_t kept_names_ = 0;  // for kTorn: changes of names before this call survive
  std::map<std::string, std::optional<size_t>> names_;  // a file's number; a directory has none
  std::map<size_t, Data> data_;
};

void PowerLossDisk::restore(size_t calls, Luck luck, uint64_t seed, const fs::path& target) const {
  Replay({calls_.begin(), calls_.begin() + static_cast<std::ptrdiff_t>(calls)}, luck, seed)
      .write_to(target);
}

}  // namespace weft
