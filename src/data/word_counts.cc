#include "data/word_counts.h"

#include <algorithm>
#include <future>

#include "data/pretokenizer.h"

namespace weft {
namespace {

constexpr size_t kBytesPerThread = size_t{1} << 22;
// Documents are often short, and starting threads for each would cost more time than it saves.
constexpr size_t kWorthThreads = size_t{1} << 16;

}  // namespace

void WordCounter::add(std::string_view text) {
  pending_ += text;
  next_cut_ = std::max(next_cut_, counts_.size() * kBytesPerThread);
  if (pending_.size() < next_cut_) return;
  const size_t cut = last_safe_cut(pending_);
  if (cut == 0) {  // one very long word: searching it again on each call would be quadratic
    next_cut_ = 2 * pending_.size();
    return;
  }
  count_in_parallel(std::string_view(pending_).substr(0, cut));
  pending_.erase(0, cut);
  next_cut_ = 0;
}

void WordCounter::end_text() {
  if (pending_.size() < kWorthThreads) {
    count(pending_, counts_.front());
  } else {
    count_in_parallel(pending_);
  }
  pending_.clear();
  next_cut_ = 0;
}

std::vector<WordCount> WordCounter::finish() {
  end_text();
  Counts& all = counts_.front();
  for (size_t i = 1; i < counts_.size(); ++i) {
    for (const auto& [word, count] : counts_[i]) all[word] += count;
    counts_[i] = {};
  }
  std::vector<WordCount> words;
  words.reserve(all.size());
  for (const auto& [word, count] : all) words.push_back({word, count});
  all = {};
  std::ranges::sort(words, {}, &WordCount::word);
  return words;
}

void WordCounter::count(std::string_view text, Counts& counts) {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, first_piece(text));
    const auto found = counts.find(word);
    if (found != counts.end()) {
      ++found.value();
    } else {
      counts.emplace(word, 1);
    }
    text.remove_prefix(word.size());
  }
}

// Each thread gets a part that ends at a safe cut; the last thread gets the rest.
void WordCounter::count_in_parallel(std::string_view text) {
  const size_t part = text.size() / counts_.size() + 1;
  std::vector<std::future<void>> others;
  for (size_t i = 1; i < counts_.size(); ++i) {
    const size_t cut = last_safe_cut(text.substr(0, part));
    others.push_back(std::async(std::launch::async, &WordCounter::count, text.substr(0, cut),
                                std::ref(counts_[i])));
    text.remove_prefix(cut);
  }
  count(text, counts_.front());
  for (std::future<void>& other : others) other.get();
}

}  // namespace weft
