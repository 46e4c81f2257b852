#include "data/merge_table.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <queue>
#include <string>

#include "base/error.h"

namespace weft {
namespace {

// Up to this length, scanning all pairs for each merge is faster than a heap, although quadratic.
// On words of random letters (Xeon, one core, MB/s of scan and heap): 16 bytes 17 and 10, 256 bytes
// 10.6 and 8.9, 512 bytes 8.0 and 8.6.
constexpr size_t kLongestScan = 256;

// A doubly linked list of ids. Symbol 0 is always the first. Links of 32 bits, and candidates of
// 64, make the heap 1.6 times as fast as twice that (10 MB of digits: 4.7 s instead of 7.5 s).
class SymbolList {
 public:
  // REQUIRES: the piece has less than 4 GB.
  SymbolList(std::string_view piece, const std::array<Token, 256>& byte_ids)
      : symbols_(piece.size()) {
    for (uint32_t i = 0; i < end(); ++i) {
      symbols_[i] = {byte_ids[static_cast<uint8_t>(piece[i])], i - 1, i + 1};
    }
  }

  uint32_t end() const { return static_cast<uint32_t>(symbols_.size()); }
  Token id(uint32_t i) const { return symbols_[i].id; }
  uint32_t next(uint32_t i) const { return symbols_[i].next; }
  uint32_t previous(uint32_t i) const { return symbols_[i].previous; }

  // Symbol i replaces both. The right symbol loses its next link, so that it forms no pair.
  void join_with_next(uint32_t i, Token id) {
    const uint32_t removed = next(i);
    const uint32_t after = next(removed);
    symbols_[removed].next = end();
    symbols_[i].id = id;
    symbols_[i].next = after;
    if (after != end()) symbols_[after].previous = i;
  }

 private:
  struct Symbol {
    Token id;
    uint32_t previous, next;
  };
  std::vector<Symbol> symbols_;
};

constexpr uint32_t pair_key(Token left, Token right) { return uint32_t{left} << 16 | right; }

}  // namespace

void MergeTable::add(Token left, Token right, Token result) {
  const auto rank = static_cast<uint32_t>(merges_.size());
  merges_.emplace(pair_key(left, right), RankedMerge{rank, result});
}

MergeTable::RankedMerge MergeTable::find(Token left, Token right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? RankedMerge{kNoMerge, 0} : found->second;
}

void MergeTable::merge(std::string_view piece, std::vector<Token>& ids) const {
  if (piece.size() <= kLongestScan) {
    merge_by_scan(piece, ids);
  } else if (piece.size() >= UINT32_MAX) {
    throw input_error("tokenizer", "the text has a word of more than 4 GB", "break it with spaces");
  } else {
    merge_by_heap(piece, ids);
  }
}

void MergeTable::merge_by_scan(std::string_view piece, std::vector<Token>& ids) const {
  std::array<Token, kLongestScan> symbols;
  std::array<RankedMerge, kLongestScan> merges;  // merges[i] is that of symbols i and i + 1
  size_t n = piece.size();
  for (size_t i = 0; i < n; ++i) symbols[i] = byte_ids_[static_cast<uint8_t>(piece[i])];
  for (size_t i = 0; i + 1 < n; ++i) merges[i] = find(symbols[i], symbols[i + 1]);

  while (n > 1) {
    const auto best = std::min_element(merges.begin(), merges.begin() + n - 1,
                                       [](auto a, auto b) { return a.rank < b.rank; });
    if (best->rank == kNoMerge) break;
    const size_t i = best - merges.begin();
    symbols[i] = best->result;
    std::copy(symbols.begin() + i + 2, symbols.begin() + n, symbols.begin() + i + 1);
    std::copy(best + 1, merges.begin() + n - 1, best);
    --n;
    if (i > 0) merges[i - 1] = find(symbols[i - 1], symbols[i]);
    if (i + 1 < n) merges[i] = find(symbols[i], symbols[i + 1]);
  }
  ids.insert(ids.end(), symbols.begin(), symbols.begin() + n);
}

// The symbols are a linked list, and a heap orders the pairs. A merge adds at most two pairs to the
// heap. A pair that has changed since it was added is recognised by its rank when it is removed.
void MergeTable::merge_by_heap(std::string_view piece, std::vector<Token>& ids) const {
  SymbolList symbols(piece, byte_ids_);
  const auto merge_at = [&](uint32_t i) {
    const uint32_t next = symbols.next(i);
    return next == symbols.end() ? RankedMerge{kNoMerge, 0} : find(symbols.id(i), symbols.id(next));
  };

  // rank << 32 | left symbol
  std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> candidates;
  const auto add_candidate = [&](uint32_t i) {
    const uint32_t rank = merge_at(i).rank;
    if (rank != kNoMerge) candidates.push(uint64_t{rank} << 32 | i);
  };
  for (uint32_t i = 0; i != symbols.end(); i = symbols.next(i)) add_candidate(i);

  while (!candidates.empty()) {
    const uint64_t best = candidates.top();
    candidates.pop();
    const auto i = static_cast<uint32_t>(best);
    const RankedMerge merge = merge_at(i);
    if (merge.rank != best >> 32) continue;
    symbols.join_with_next(i, merge.result);
    if (i > 0) add_candidate(symbols.previous(i));
    add_candidate(i);
  }
  for (uint32_t i = 0; i != symbols.end(); i = symbols.next(i)) ids.push_back(symbols.id(i));
}

std::array<Token, 256> single_byte_ids(const std::vector<std::string>& tokens) {
  std::array<Token, 256> ids{};
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].size() == 1) ids[static_cast<uint8_t>(tokens[id][0])] = Token(id);
  }
  return ids;
}

}  // namespace weft
