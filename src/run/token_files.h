// TokenSpool and write_token_files: a stream of tokens of unknown length becomes files on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/file_writer.h"
#include "base/view.h"
#include "data/token_source.h"

namespace weft {

// Keeps tokens in `<path>.tokens.partial` until the last one is known: their number decides where
// validation begins, how the files are named, and what a shard's header says. The destructor
// removes the file. Throws Error (kFailure): a full disk.
class TokenSpool {
 public:
  explicit TokenSpool(const std::filesystem::path& path);
  ~TokenSpool();
  TokenSpool(const TokenSpool&) = delete;
  TokenSpool& operator=(const TokenSpool&) = delete;

  void append(Vector<const Token> tokens);
  int64_t tokens() const { return tokens_; }

  // Call it after the last append.
  void finish() { writer_.finish(); }
  // Calls visit with all tokens, piece by piece. REQUIRES: finish() was called.
  void read(const std::function<void(Vector<const Token>)>& visit) const;

 private:
  std::filesystem::path path_;
  FileWriter writer_;
  int64_t tokens_ = 0;
};

// The files that tokens are written to: `path` itself or, where they fill more than one shard,
// files with a number after the stem, so that a glob finds them in order: train.bin, or
// train_000000.bin, train_000001.bin, ...
struct TokenTarget {
  std::filesystem::path path;
  TokenFormat format = TokenFormat::kShard;  // raw-u16 goes into one file, whatever its size
  int64_t shard_tokens = 100'000'000;        // the most that one shard holds
};

// The numbered files of the target that exist: left by an earlier run, or by a larger corpus.
std::vector<std::filesystem::path> numbered_files(const TokenTarget& target);

// True if the path is a name that the target may write.
bool names_part_of(const TokenTarget& target, const std::filesystem::path& path);

struct TokenFile {
  std::filesystem::path path;
  int64_t tokens = 0;
};

// Sends the first tokens of the spool to `train` and the last `held_out` to `val`. Numbered files
// that a target has from before are removed first, or a glob would mix them with the new; so is, at
// the end, a `path` that numbered files replace. Every file appears whole; if one fails, those that
// were written are removed. `progressed` is called now and then, and what it throws ends the work
// in the same way. Returns what was written. Throws Error (kInput) if a target would get no tokens
// or too many files, (kFailure) if a file cannot be written.
std::vector<TokenFile> write_token_files(const TokenSpool& spool, const TokenTarget& train,
                                         const std::optional<TokenTarget>& val, int64_t held_out,
                                         const std::function<void()>& progressed = nullptr);

}  // namespace weft
