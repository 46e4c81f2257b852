// Byte pair encoding: one piece of text to token ids by merging neighbours.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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
};

// Sennrich et al. 2016 on bytes: begin with single bytes; as long as some neighbours have a merge,
// apply the one of lowest rank, the leftmost where it occurs more than once. Immutable;
// thread-safe.
class Bpe {
 public:
  explicit Bpe(BpeVocabulary vocabulary);
  Bpe(const Bpe&) = delete;
  Bpe& operator=(const Bpe&) = delete;

  const BpeVocabulary& vocabulary() const { return vocabulary_; }

  // Appends the ids of one piece. O(n log n) for a piece of n bytes.
  void encode(std::string_view piece, std::vector<Token>& ids) const;

 private:
  struct RankedMerge {
    uint32_t rank;
    Token result;
  };

  RankedMerge find_merge(Token left, Token right) const;
  void merge(std::string_view piece, std::vector<Token>& ids) const;
  void merge_by_scan(std::string_view piece, std::vector<Token>& ids) const;
  void merge_by_heap(std::string_view piece, std::vector<Token>& ids) const;
  void find_whole_pieces();

  static constexpr uint32_t kNoMerge = UINT32_MAX;  // the rank of neighbours that do not merge

  BpeVocabulary vocabulary_;
  std::array<Token, 256> byte_ids_{};
  std::unordered_map<uint32_t, RankedMerge> merges_;  // by pair: left << 16 | right

  // Pieces that merge into one token, keyed by vocabulary_.tokens: most words of a text take this
  // short cut. Found by merging each token's bytes, so that the short cut is right by construction
  // for every vocabulary.
  std::unordered_map<std::string_view, Token> whole_pieces_;
};

}  // namespace weft
