#include "data/bpe_trainer.h"

#include <tsl/robin_map.h>

#include <algorithm>
#include <array>
#include <limits>
#include <queue>
#include <string>
#include <utility>

#include "base/error.h"
#include "data/byte_alphabet.h"

namespace weft {
namespace {

constexpr int32_t kBoundary = -1;  // between words
constexpr int32_t kInside = -2;    // not the first byte of a symbol

// A symbol in a word: the position of its first byte, and the word for its count.
struct Place {
  uint32_t position, word;
};

// The words as symbols, in one cell per byte, with a boundary before, between and after the words.
// The cells of a symbol's first and last byte hold its length, so that neighbours are found in both
// directions.
class SymbolCells {
 public:
  SymbolCells(const std::vector<WordCount>& words, const std::array<Token, 256>& byte_ids) {
    size_t bytes = 1;
    for (const WordCount& word : words) bytes += word.word.size() + 1;
    if (bytes > std::numeric_limits<uint32_t>::max()) {
      throw input_error("tokenizer.train", "the distinct words of the text have over 4 GB",
                        "train on less text");
    }
    cells_.reserve(bytes);
    cells_.push_back({kBoundary, 1});
    for (const WordCount& word : words) {
      for (const uint8_t byte : word.word) cells_.push_back({byte_ids[byte], 1});
      cells_.push_back({kBoundary, 1});
    }
  }

  int32_t id(uint32_t position) const { return cells_[position].id; }
  uint32_t next(uint32_t position) const { return position + cells_[position].length; }
  uint32_t previous(uint32_t position) const { return position - cells_[position - 1].length; }

  void join_with_next(uint32_t position, Token id) {
    const uint32_t removed = next(position);
    const uint32_t end = next(removed);
    cells_[removed].id = kInside;
    cells_[position] = {id, end - position};
    cells_[end - 1].length = end - position;
  }

 private:
  struct Cell {
    int32_t id;
    uint32_t length;
  };
  std::vector<Cell> cells_;
};

// The single bytes in the order of GPT-2's ids, which is the order of the characters that spell
// them.
std::vector<std::string> single_bytes() {
  std::vector<std::string> bytes(256);
  for (size_t byte = 0; byte < bytes.size(); ++byte) bytes[byte] = static_cast<char>(byte);
  std::ranges::sort(bytes, {}, spell_bytes);
  return bytes;
}

class Trainer {
 public:
  explicit Trainer(const std::vector<WordCount>& words)
      : words_(words), cells_(words, single_byte_ids(vocabulary_.tokens)) {
    for (size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
      ids_.emplace(vocabulary_.tokens[id], Token(id));
    }
    count_pairs();
  }

  size_t tokens() const { return vocabulary_.tokens.size(); }

  // Applies the best merge. Returns false if no pair is frequent enough.
  bool merge_best(int64_t min_frequency) {
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      Pair& pair = pairs_[best.key];
      if (pair.count == best.count) {
        if (pair.count < min_frequency) return false;
        merge(best.key, pair);
        return true;
      }
      if (pair.count > 0) candidates_.push({pair.count, best.key});  // it has become rarer
    }
    return false;
  }

  BpeVocabulary finish() {
    vocabulary_.end_of_text = static_cast<Token>(tokens());
    vocabulary_.special_tokens = {vocabulary_.end_of_text};
    vocabulary_.tokens.emplace_back(kEndOfText);
    return std::move(vocabulary_);
  }

 private:
  struct Pair {
    int64_t count = 0;
    std::vector<Place> places;  // of the left symbol; some may hold other symbols by now
    bool is_merged = false;
    bool is_waiting = false;  // for its place among the candidates
  };

  struct Candidate {
    int64_t count;
    uint32_t key;

    // The best is the greatest: the most frequent, then the lowest ids.
    bool operator<(const Candidate& other) const {
      return std::pair(count, other.key) < std::pair(other.count, key);
    }
  };

  static uint32_t key_of(int32_t left, int32_t right) {
    return static_cast<uint32_t>(left) << 16 | static_cast<uint32_t>(right);
  }

  void count_pairs() {
    uint32_t position = 1;
    for (uint32_t word = 0; word < words_.size(); ++word) {
      const size_t bytes = words_[word].word.size();
      for (size_t i = 0; i + 1 < bytes; ++i, ++position) {
        add({position, word}, cells_.id(position), cells_.id(position + 1));
      }
      position += 2;  // its last byte and the boundary
    }
    add_candidates();
  }

  void add(Place place, int32_t left, int32_t right) {
    const uint32_t key = key_of(left, right);
    Pair& pair = pairs_[key];
    pair.count += words_[place.word].count;
    pair.places.push_back(place);
    if (!std::exchange(pair.is_waiting, true)) waiting_.push_back(key);
  }

  void remove(Place place, int32_t left, int32_t right) {
    pairs_[key_of(left, right)].count -= words_[place.word].count;
  }

  void add_candidates() {
    for (const uint32_t key : waiting_) {
      Pair& pair = pairs_[key];
      pair.is_waiting = false;
      if (pair.count > 0) candidates_.push({pair.count, key});
    }
    waiting_.clear();
  }

  void merge(uint32_t key, Pair& pair) {
    const auto left = static_cast<Token>(key >> 16), right = static_cast<Token>(key);
    const Token result = find_or_add(vocabulary_.tokens[left] + vocabulary_.tokens[right]);
    // If two merges produce the same token, a pair can get new places after it was merged.
    if (!std::exchange(pair.is_merged, true)) vocabulary_.merges.push_back({left, right, result});
    std::vector<Place> places = std::move(pair.places);
    pair.places.clear();
    // If places overlap (a a a), the leftmost is merged.
    if (left == right) std::ranges::sort(places, {}, &Place::position);
    for (const Place& place : places) merge_at(place, left, right, result);
    pairs_[key].count = 0;
    add_candidates();
  }

  void merge_at(Place place, Token left, Token right, Token result) {
    const uint32_t position = place.position;
    if (cells_.id(position) != left || cells_.id(cells_.next(position)) != right) return;
    const uint32_t before = cells_.previous(position);
    cells_.join_with_next(position, result);
    const uint32_t after = cells_.next(position);
    if (cells_.id(before) != kBoundary) {
      remove(place, cells_.id(before), left);
      add({before, place.word}, cells_.id(before), result);
    }
    if (cells_.id(after) != kBoundary) {
      remove(place, right, cells_.id(after));
      add(place, result, cells_.id(after));
    }
  }

  Token find_or_add(const std::string& bytes) {
    const auto [entry, is_new] = ids_.emplace(bytes, static_cast<Token>(tokens()));
    if (is_new) vocabulary_.tokens.push_back(bytes);
    return entry->second;
  }

  const std::vector<WordCount>& words_;
  BpeVocabulary vocabulary_{.tokens = single_bytes(), .merges = {}, .special_tokens = {}};
  SymbolCells cells_;
  tsl::robin_map<std::string, Token> ids_;
  tsl::robin_map<uint32_t, Pair, PairHash> pairs_;
  std::priority_queue<Candidate> candidates_;  // a count may be out of date: then it is too high
  std::vector<uint32_t> waiting_;              // pairs with new places
};

}  // namespace

BpeVocabulary train_bpe(const std::vector<WordCount>& words, const BpeTraining& training,
                        const std::function<void(int64_t)>& progress) {
  require(training.vocabulary_size > 256 && training.vocabulary_size <= 65'536,
          "a vocabulary has 257 to 65,536 tokens");
  const auto merged = static_cast<size_t>(training.vocabulary_size) - 1;  // all but end of text
  Trainer trainer(words);
  while (trainer.tokens() < merged && trainer.merge_best(training.min_frequency)) {
    progress(static_cast<int64_t>(trainer.tokens()));
  }
  return trainer.finish();
}

}  // namespace weft
