// Byte pair encoding: one piece of text to token ids by merging neighbours.
#pragma once

#include <tsl/robin_map.h>

#include <string>
#include <string_view>
#include <vector>

#include "data/merge_table.h"
#include "data/tokenizer.h"

namespace weft {

// Two neighbouring tokens that become one.
struct BpeMerge {
  Token left, right, result;

  bool operator==(const BpeMerge&) const = default;
};

// A checked vocabulary, as data/vocabulary_files.h reads it. It has at most 65,536 tokens, which
// are distinct and not empty and include the 256 single bytes. Each merge's result is the
// concatenation of left and right, and no pair occurs twice.
struct BpeVocabulary {
  std::vector<std::string> tokens;  // bytes, by id
  std::vector<BpeMerge> merges;     // by rank, the first to be applied first
  Token end_of_text = 0;
  std::vector<Token> special_tokens;  // ascending; no merge produces them; end_of_text is one
};

// Encodes pieces of text. Immutable; thread-safe.
class Bpe {
 public:
  explicit Bpe(BpeVocabulary vocabulary);
  Bpe(const Bpe&) = delete;
  Bpe& operator=(const Bpe&) = delete;

  const BpeVocabulary& vocabulary() const { return vocabulary_; }

  // Appends the ids of one piece, merged as MergeTable says. O(n log n) for a piece of n bytes.
  void encode(std::string_view piece, std::vector<Token>& ids) const;

 private:
  void find_whole_pieces();

  BpeVocabulary vocabulary_;
  MergeTable merges_;

  // Pieces that merge into one token, keyed by vocabulary_.tokens: a short cut for most words of a
  // text. The map is filled by merging the bytes of each token, so it is right for every
  // vocabulary.
  tsl::robin_map<std::string_view, Token> whole_pieces_;
};

}  // namespace weft
