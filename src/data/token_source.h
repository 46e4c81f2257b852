// TokenSource: a training or validation corpus as one long stream of token ids.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/view.h"
#include "data/tokenizer.h"

namespace weft {

// The concatenation of shards (memory-mapped) or of tokens in memory, addressed with 64 bits.
// A sample is T + 1 consecutive tokens: T inputs and, shifted by one, T targets. Samples follow
// each other every T tokens and cross from one shard into the next; when the stream does not
// divide, the last sample ends at the last token, so that no token is lost. Immutable; thread-safe.
class TokenSource {
 public:
  // Opens llm.c token shards (magic 20240520, version 1). Patterns are paths or globs ("a*.bin"),
  // each pattern's matches in sorted order. Throws Error (kInput): no match, wrong magic or
  // version, a size that does not equal the header's count, an empty shard.
  static TokenSource open_shards(const std::vector<std::string>& patterns);

  static TokenSource from_tokens(std::vector<Token> tokens);

  int64_t tokens() const { return total_; }

  // Samples of length T in one epoch. Throws Error (kInput) if the stream has fewer than T + 1
  // tokens.
  int64_t samples(int64_t T) const;

  // Copies sample i into inputs (T) and targets (T). REQUIRES: 0 <= i < samples(T).
  void sample(int64_t i, Vector<int32_t> inputs, Vector<int32_t> targets) const;

  // Copies out.size() tokens from a position of the stream on, across shards.
  // REQUIRES: 0 <= position, position + out.size() <= tokens().
  void copy(int64_t position, Vector<int32_t> out) const;

  // The largest id in the stream (reads all of it): the guard against ids >= V.
  Token largest_token() const;

  // A checksum of the stream (reads all of it), to notice on resume that the data changed. How the
  // stream is cut into shards does not matter.
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
};

// True if the file begins as a llm.c token shard does; false for anything shorter or different, and
// for what cannot be read. A LLaMA-3 shard counts: open_shards says why weft does not read it.
bool is_token_shard(const std::string& path);

// Writes a llm.c token shard durably. Throws Error: no tokens, too many for the 32-bit count, full
// disk.
void write_token_shard(const std::string& path, Vector<const Token> tokens);

}  // namespace weft
