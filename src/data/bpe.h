// Byte pair encoding: one piece of text to token ids by merging neighbours.
#pragma once

#include <tsl/robin_map.h>

#include <string>
#include <string_view>
#include <vector>

#include "data/merge_table.h"
#include "data/tokenizer.h"

namespace weft {

// Two neighbours that become one token.
struct BpeMerge {
  Token left, right, result;

  bool operator==(const BpeMerge&) const = default;
};

// A checked vocabulary (data/vocabulary_files.h reads one): at most 65,536 tokens, distinct and not
// empty, the 256 single bytes among them; merges whose result is left followed by right, each pair
// once.
struct BpeVocabulary {
  std::vector<std::string> tokens;  // bytes, by id
  std::vector<BpeMerge> merges;     // by rank, the first to be applied first
  Token end_of_text = 0;
  std::vector<Token> special_tokens;  // ascending; no merge makes them; end_of_text is one
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

  // Pieces that merge into one token, keyed by vocabulary_.tokens: most words of a text take this
  // short cut. Found by merging each token's bytes, so that the short cut is right by construction
  // for every vocabulary.
  tsl::robin_map<std::string_view, Token> whole_pieces_;
};

}  // namespace weft
