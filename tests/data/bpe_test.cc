#include "data/bpe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace weft {
namespace {

using Ids = std::vector<Token>;

// Single bytes (id = byte), then one token for each merge.
BpeVocabulary vocabulary_of(const std::vector<std::pair<std::string, std::string>>& merges) {
  BpeVocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte) vocabulary.tokens.emplace_back(1, char(byte));
  const auto id_of = [&](const std::string& token) {
    return Token(std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), token) -
                 vocabulary.tokens.begin());
  };
  for (const auto& [left, right] : merges) {
    if (id_of(left + right) == vocabulary.tokens.size()) vocabulary.tokens.push_back(left + right);
    vocabulary.merges.push_back({id_of(left), id_of(right), id_of(left + right)});
  }
  return vocabulary;
}

// Merges of tokens drawn at random over the letters a, b, c: long tokens and many overlaps.
BpeVocabulary random_vocabulary(int merges, std::mt19937& random) {
  std::vector<std::string> tokens = {"a", "b", "c"};
  std::vector<std::pair<std::string, std::string>> pairs;
  while (std::ssize(pairs) < merges) {
    const auto draw = [&] { return tokens[random() % tokens.size()]; };
    const std::pair<std::string, std::string> pair = {draw(), draw()};
    const std::string token = pair.first + pair.second;
    if (token.size() > 12 || std::count(tokens.begin(), tokens.end(), token) > 0) continue;
    pairs.push_back(pair);
    tokens.push_back(token);
  }
  return vocabulary_of(pairs);
}

// The definition, one merge at a time: the lowest rank among all neighbours, at its leftmost place.
Ids reference_encode(const BpeVocabulary& vocabulary, const std::string& piece) {
  Ids ids;
  for (const uint8_t byte : piece) ids.push_back(byte);
  const auto position_of = [&](const BpeMerge& merge) -> std::optional<size_t> {
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      if (ids[i] == merge.left && ids[i + 1] == merge.right) return i;
    }
    return std::nullopt;
  };
  for (size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const BpeMerge& merge = vocabulary.merges[rank];
    if (const auto i = position_of(merge)) {
      ids[*i] = merge.result;
      ids.erase(ids.begin() + *i + 1);
      rank = -1;  // starts over from the lowest rank
    }
  }
  return ids;
}

std::string random_piece(size_t bytes, std::mt19937& random) {
  std::string piece(bytes, ' ');
  for (char& c : piece) c = "abc"[random() % 3];
  return piece;
}

Ids encode(const Bpe& bpe, const std::string& piece) {
  Ids ids;
  bpe.encode(piece, ids);
  return ids;
}

TEST(Bpe, MergesInTheOrderOfRankNotOfText) {
  const Bpe bpe(vocabulary_of({{"b", "c"}, {"a", "b"}}));

  EXPECT_EQ(encode(bpe, "abc"), (Ids{'a', 256}));
  EXPECT_EQ(encode(bpe, "abd"), (Ids{257, 'd'}));
}

TEST(Bpe, MergesTheLeftmostOfEqualRanks) {
  const Bpe bpe(vocabulary_of({{"a", "a"}}));

  EXPECT_EQ(encode(bpe, "aaa"), (Ids{256, 'a'}));
  EXPECT_EQ(encode(bpe, "aaaaa"), (Ids{256, 256, 'a'}));
}

TEST(Bpe, AppendsToTheIds) {
  const Bpe bpe(vocabulary_of({}));
  Ids ids = {7};

  bpe.encode("xy", ids);

  EXPECT_EQ(ids, (Ids{7, 'x', 'y'}));
}

TEST(Bpe, ATokenThatMergesDoNotReachIsNotEncoded) {
  // "abc" would need "a" + "bc", but "ab" is merged first.
  const Bpe bpe(vocabulary_of({{"a", "b"}, {"b", "c"}, {"a", "bc"}}));

  EXPECT_EQ(encode(bpe, "abc"), (Ids{256, 'c'}));
}

TEST(Bpe, TwoMergesMayMakeTheSameToken) {
  const Bpe bpe(vocabulary_of({{"a", "b"}, {"b", "c"}, {"a", "bc"}, {"ab", "c"}}));

  EXPECT_EQ(encode(bpe, "abc"), (Ids{258}));
}

// Short pieces are merged by a scan, pieces over 256 bytes by a heap. Both must equal the
// definition.
TEST(Bpe, AgreesWithTheDefinitionOnRandomVocabularies) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 20; ++trial) {
    const BpeVocabulary vocabulary = random_vocabulary(23, random);
    const Bpe bpe(vocabulary);
    for (const size_t bytes : {1, 2, 3, 7, 61, 254, 255, 256, 257, 258, 401}) {
      const std::string piece = random_piece(bytes, random);
      ASSERT_EQ(encode(bpe, piece), reference_encode(vocabulary, piece)) << piece;
    }
  }
}

// A quadratic loop would need minutes (2^40 / 2 steps), so the test's time limit would stop it.
TEST(Bpe, AMegabyteWithoutASpaceIsNotQuadratic) {
  std::vector<std::pair<std::string, std::string>> doublings;
  for (std::string half = "a"; half.size() < 1024; half += half) doublings.emplace_back(half, half);
  const Bpe bpe(vocabulary_of(doublings));

  const Ids ids = encode(bpe, std::string(1 << 20, 'a'));

  EXPECT_EQ(ids, Ids(1024, 256 + 9));
}

}  // namespace
}  // namespace weft
