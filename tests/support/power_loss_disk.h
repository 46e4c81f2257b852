// PowerLossDisk: the real disk, with a record from which the state after a power loss is made.
//
// Like LevelDB's FaultInjectionTestEnv, it loses data that was not synced and names whose directory
// was not synced. A real disk may keep any part of these, so a test chooses among several outcomes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace weft {

class PowerLossDisk : public FileSystem {
 public:
  // The fate of changes that were not synced.
  enum class Luck {
    kAllLost,    // the disk keeps only what was synced
    kNamesKept,  // the disk keeps names without their data, as files of zero bytes
    kTorn,       // the disk keeps a part of both
    kAllKept,
  };

  // Records only changes under `root`, which must exist and be empty.
  explicit PowerLossDisk(std::filesystem::path root) : root_(std::move(root)) {}

  size_t calls() const { return calls_.size(); }

  // Creates in `target`, an empty directory, the state of root after a power loss that follows the
  // first `calls` calls. seed chooses the parts of kTorn.
  void restore(size_t calls, Luck luck, uint64_t seed, const std::filesystem::path& target) const;

  std::unique_ptr<WritableFile> open(const std::filesystem::path& path, Mode mode) override;
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void remove_all(const std::filesystem::path& path) override;
  void create_directory(const std::filesystem::path& path) override;
  void sync_directory(const std::filesystem::path& path) override;

 private:
  class File;
  class Replay;

  struct Call {
    enum class Kind {
      kCreate,
      kTruncate,
      kWrite,
      kSync,
      kRename,
      kRemove,
      kMakeDirectory,
      kSyncNames
    };
    Kind kind;
    std::string path, to;  // relative to root
    size_t file = 0;       // for kCreate to kSync: the file's number
    std::string bytes;     // for kWrite
  };

  std::string relative(const std::filesystem::path& path) const;
  void record(Call call) { calls_.push_back(std::move(call)); }

  std::filesystem::path root_;
  std::vector<Call> calls_;
  std::vector<std::pair<std::string, size_t>> names_;  // present names of files and their numbers
  size_t files_ = 0;
};

}  // namespace weft
