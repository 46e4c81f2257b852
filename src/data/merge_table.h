// MergeTable: the merges of a byte pair encoding; merges the bytes of one piece.
#pragma once

#include <tsl/robin_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer.h"

namespace weft {

// A multiplicative hash of a pair of tokens, left << 16 | right. The tables use the low bits of a
// hash, so it returns the upper half of the product, which depends on all bits of the key.
struct PairHash {
  size_t operator()(uint32_t pair) const {
    return static_cast<size_t>(pair * uint64_t{0x9E3779B97F4A7C15} >> 32);
  }
};

// Sennrich et al. 2016 on bytes: begin with single bytes; as long as some pair of neighbours has a
// merge, apply the merge of lowest rank, at its leftmost place. Reading is thread-safe.
class MergeTable {
 public:
  // byte_ids[b] is the id of the single byte b.
  explicit MergeTable(const std::array<Token, 256>& byte_ids) : byte_ids_(byte_ids) {}

  void reserve(size_t merges) { merges_.reserve(merges); }

  // Adds a merge with the next rank. REQUIRES: the pair has no merge yet.
  void add(Token left, Token right, Token result);

  // Appends the ids of one piece. O(n log n) for a piece of n bytes. Throws Error (kInput) if it
  // has 4 GB or more.
  void merge(std::string_view piece, std::vector<Token>& ids) const;

 private:
  struct RankedMerge {
    uint32_t rank;
    Token result;
  };

  RankedMerge find(Token left, Token right) const;
  void merge_by_scan(std::string_view piece, std::vector<Token>& ids) const;
  void merge_by_heap(std::string_view piece, std::vector<Token>& ids) const;

  static constexpr uint32_t kNoMerge = UINT32_MAX;  // the rank of neighbours that do not merge

  std::array<Token, 256> byte_ids_;
  tsl::robin_map<uint32_t, RankedMerge, PairHash> merges_;  // by pair: left << 16 | right
};

// Returns the id of every single byte. REQUIRES: each is a token.
std::array<Token, 256> single_byte_ids(const std::vector<std::string>& tokens);

}  // namespace weft
