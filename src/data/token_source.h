// TokenSource: a training or validation corpus as one long stream of token ids.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/view.h"
#include "data/token_shard.h"

namespace weft {

// The concatenation of shards (memory-mapped) or of tokens in memory, addressed with 64 bits.
// A sample is T + 1 consecutive tokens: T inputs and, shifted by one, T targets. Samples follow
// each other every T tokens and cross from one shard into the next; when the stream does not
// divide, the last sample ends at the last token, so that no token is lost. Immutable; thread-safe.
class TokenSource {
 public:
  // Opens llm.c token shards or, depending on the format, nanoGPT's files. Patterns are paths or
  // globs ("a*.bin"); the matches of each pattern are sorted. Throws Error (kInput) if a pattern
  // has no match or a file is invalid, as tokens_in does.
  static TokenSource open_shards(const std::vector<std::string>& patterns,
                                 TokenFormat format = TokenFormat::kShard);

  static TokenSource from_tokens(std::vector<Token> tokens);

  int64_t tokens() const { return total_; }

  // Remarks about the files that the user should know and that are not errors.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // Samples of length T in one epoch. Throws Error (kInput) if the stream has fewer than T + 1
  // tokens.
  int64_t samples(int64_t T) const;

  // Copies sample i into inputs (T) and targets (T). REQUIRES: 0 <= i < samples(T).
  void sample(int64_t i, Vector<int32_t> inputs, Vector<int32_t> targets) const;

  // Copies out.size() tokens from a position of the stream on. REQUIRES: the stream has them.
  void copy(int64_t position, Vector<int32_t> out) const;

  // The largest id in the stream (reads all of it), to be checked against V.
  Token largest_token() const;

  // A checksum of the stream (reads all of it), which tells a resumed run whether its data changed.
  // It does not depend on how the stream is cut into shards.
  uint64_t fingerprint() const;

 private:
  struct Shard {
    std::shared_ptr<const void> owner;  // keeps the tokens alive: a MappedFile, or a vector
    Vector<const Token> tokens;
    int64_t first = 0;  // position of tokens[0] in the stream
  };

  void append(std::shared_ptr<const void> owner, Vector<const Token> tokens);

  std::vector<Shard> shards_;
  int64_t total_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace weft
