// PowerLossDisk: the machine's disk, and a record of what may be left of it if the power fails.
//
// After LevelDB's FaultInjectionTestEnv: data that was not synced is lost, and so are names whose
// directory was not synced. What a real disk keeps of these is a matter of luck, so several kinds
// of luck can be asked for.
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
  // What happens to changes that were not synced.
  enum class Luck {
    kAllLost,    // the disk kept nothing that it had not promised
    kNamesKept,  // names without their data: the files of zero bytes that every user has met
    kTorn,       // a part of both
    kAllKept,
  };

  // Only what happens under `root`, which exists and is empty, is recorded.
  explicit PowerLossDisk(std::filesystem::path root) : root_(std::move(root)) {}

  size_t calls() const { return calls_.size(); }

  // Makes in `target`, an empty directory, what a power loss after the first `calls` calls leaves
  // of root. seed chooses the parts of kTorn.
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
    size_t file = 0;       // of kCreate to kSync: which
    std::string bytes;     // of kWrite
  };

  std::string relative(const std::filesystem::path& path) const;
  void record(Call call) { calls_.push_back(std::move(call)); }

  std::filesystem::path root_;
  std::vector<Call> calls_;
  std::vector<std::pair<std::string, size_t>> names_;  // of files, now
  size_t files_ = 0;
};

}  // namespace weft
