#include "data/bpe_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "data/byte_alphabet.h"

namespace weft {
namespace {

using Merges = std::vector<std::string>;  // spelled as in merges.txt: "l o"

BpeVocabulary train(const std::vector<WordCount>& words, int64_t size, int64_t min_frequency = 1) {
  return train_bpe(words, {size, min_frequency}, [](int64_t) {});
}

Merges merges_of(const BpeVocabulary& vocabulary) {
  Merges merges;
  for (const BpeMerge& merge : vocabulary.merges) {
    merges.push_back(spell_bytes(vocabulary.tokens[merge.left]) + " " +
                     spell_bytes(vocabulary.tokens[merge.right]));
  }
  return merges;
}

// The definition: counts all pairs of all words again for every merge.
class ReferenceTrainer {
 public:
  explicit ReferenceTrainer(const std::vector<WordCount>& words) : words_(words) {
    for (int byte = 0; byte < 256; ++byte) tokens_.emplace_back(1, static_cast<char>(byte));
    std::ranges::sort(tokens_, {}, spell_bytes);
    for (const WordCount& word : words) {
      symbols_.emplace_back();
      for (const char c : word.word) symbols_.back().push_back(id_of(std::string(1, c)));
    }
  }

  Merges merges(size_t tokens, int64_t min_frequency) {
    Merges merges;
    while (tokens_.size() < tokens) {
      const auto pair = best_pair(min_frequency);
      if (!pair) break;
      const std::string left = tokens_[pair->first], right = tokens_[pair->second];
      const std::string line = spell_bytes(left) + " " + spell_bytes(right);
      if (std::ranges::count(merges, line) == 0) merges.push_back(line);
      if (std::ranges::count(tokens_, left + right) == 0) tokens_.push_back(left + right);
      for (auto& symbols : symbols_) apply(*pair, id_of(left + right), symbols);
    }
    return merges;
  }

 private:
  using Pair = std::pair<size_t, size_t>;

  size_t id_of(const std::string& token) const {
    return static_cast<size_t>(std::ranges::find(tokens_, token) - tokens_.begin());
  }

  std::optional<Pair> best_pair(int64_t min_frequency) const {
    std::map<Pair, int64_t> counts;
    for (size_t w = 0; w < words_.size(); ++w) {
      for (size_t i = 0; i + 1 < symbols_[w].size(); ++i) {
        counts[{symbols_[w][i], symbols_[w][i + 1]}] += words_[w].count;
      }
    }
    std::optional<Pair> best;
    for (const auto& [pair, count] : counts) {  // in the order of ids, so the first wins ties
      if (count >= min_frequency && (!best || count > counts[*best])) best = pair;
    }
    return best;
  }

  static void apply(Pair pair, size_t result, std::vector<size_t>& symbols) {
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      if (symbols[i] != pair.first || symbols[i + 1] != pair.second) continue;
      symbols[i] = result;
      symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }

  const std::vector<WordCount>& words_;
  std::vector<std::string> tokens_;
  std::vector<std::vector<size_t>> symbols_;
};

// Few letters and long words give ties, overlaps, and tokens that two merges produce.
std::vector<WordCount> random_words(std::mt19937& random) {
  std::vector<WordCount> words;
  for (int i = 0; i < 40; ++i) {
    std::string word(1 + random() % 14, ' ');
    for (char& c : word) c = "aaab "[random() % 5];
    if (std::ranges::find(words, word, &WordCount::word) == words.end()) {
      words.push_back({word, 1 + static_cast<int64_t>(random() % 5)});
    }
  }
  return words;
}

// The example of Sennrich et al. 2016.
TEST(BpeTrainer, MergesTheMostFrequentNeighboursFirst) {
  const std::vector<WordCount> words = {{"low", 5}, {"lower", 2}, {"newest", 6}, {"widest", 3}};

  const BpeVocabulary vocabulary = train(words, 257 + 4);

  EXPECT_EQ(merges_of(vocabulary), (Merges{"e s", "es t", "l o", "lo w"}));
  EXPECT_EQ(vocabulary.tokens.at(257), "est");
  EXPECT_EQ(vocabulary.end_of_text, 260);
  EXPECT_EQ(vocabulary.tokens.at(260), "<|endoftext|>");
  EXPECT_EQ(vocabulary.special_tokens, std::vector<Token>{260});
}

TEST(BpeTrainer, OfEquallyFrequentNeighboursTheLowestIdsWin) {
  EXPECT_EQ(merges_of(train({{"cd", 2}, {"ab", 2}, {"ad", 2}}, 259)), (Merges{"a b", "a d"}));
  // "!" has id 0 and the space id 220, whatever their bytes are.
  EXPECT_EQ(merges_of(train({{" a", 2}, {"!a", 2}}, 258)), (Merges{"! a"}));
}

TEST(BpeTrainer, NeighboursThatOverlapAreMergedFromTheLeft) {
  EXPECT_EQ(merges_of(train({{"aaaaa", 1}}, 300)), (Merges{"a a", "aa a", "aa aaa"}));
}

TEST(BpeTrainer, BeginsWithTheBytesInTheOrderOfGpt2sIds) {
  const BpeVocabulary vocabulary = train({}, 257);

  EXPECT_EQ(vocabulary.tokens.size(), 257u);
  EXPECT_EQ(vocabulary.tokens[0], "!");
  EXPECT_EQ(vocabulary.tokens[187], "\xFF");
  EXPECT_EQ(vocabulary.tokens[188], std::string(1, '\0'));
  EXPECT_EQ(vocabulary.tokens[220], " ");
}

TEST(BpeTrainer, StopsWhereNoNeighboursAreFrequentEnough) {
  const std::vector<WordCount> words = {{"ab", 3}, {"cd", 2}, {"ef", 1}};

  EXPECT_EQ(merges_of(train(words, 1000, 2)), (Merges{"a b", "c d"}));
  EXPECT_EQ(merges_of(train(words, 1000, 4)), Merges{});
}

TEST(BpeTrainer, AgreesWithTheDefinitionOnRandomWords) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 300; ++trial) {
    const std::vector<WordCount> words = random_words(random);
    for (const int64_t min_frequency : {1, 3}) {
      const Merges expected = ReferenceTrainer(words).merges(256 + 50, min_frequency);
      ASSERT_EQ(merges_of(train(words, 257 + 50, min_frequency)), expected) << "trial " << trial;
    }
  }
}

TEST(BpeTrainer, TellsItsProgress) {
  std::vector<int64_t> told;

  train_bpe({{"abc", 2}}, {259, 1}, [&](int64_t tokens) { told.push_back(tokens); });

  EXPECT_EQ(told, (std::vector<int64_t>{257, 258}));
}

// A trainer that walks through a whole word for each of its merges would need hours, so the test's
// time limit would stop it.
TEST(BpeTrainer, AWordOfAMegabyteIsNotQuadratic) {
  std::mt19937 random(1);
  std::string word(1'000'000, ' ');
  for (char& c : word) c = static_cast<char>('a' + random() % 26);

  EXPECT_EQ(train({{word, 1}}, 20'000).tokens.size(), 20'000u);
}

}  // namespace
}  // namespace weft
