// WordCounter: counts the words of a text, from which a byte pair encoding is trained.
#pragma once

#include <tsl/robin_map.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct WordCount {
  std::string word;  // a piece of pre-tokenisation, as data/pretokenizer.h cuts them
  int64_t count = 0;

  bool operator==(const WordCount&) const = default;
};

// Takes a text of any length in parts and needs memory only for its distinct words. Not
// thread-safe; counts on the given number of threads.
class WordCounter {
 public:
  // REQUIRES: threads >= 1.
  explicit WordCounter(int threads) : counts_(static_cast<size_t>(threads)) {}

  // Appends to the current text.
  void add(std::string_view text);
  // Ends the current text: no word crosses from it into the next.
  void end_text();

  // The words of all texts, sorted, so that the result does not depend on the number of threads or
  // the order of the texts.
  std::vector<WordCount> finish();

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Counts = tsl::robin_map<std::string, int64_t, Hash, std::equal_to<>>;

  static void count(std::string_view text, Counts& counts);
  void count_in_parallel(std::string_view text);

  std::vector<Counts> counts_;  // by thread
  std::string pending_;         // text that has not been counted yet
  size_t next_cut_ = 0;         // the size of pending_ at which to search for a cut again
};

}  // namespace weft
