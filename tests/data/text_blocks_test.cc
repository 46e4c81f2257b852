#include "data/text_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "data/pretokenizer.h"

namespace weft {
namespace {

using Strings = std::vector<std::string>;

Strings pieces(std::string_view text) {
  Strings pieces;
  while (!text.empty()) {
    const size_t bytes = first_piece(text);
    pieces.emplace_back(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return pieces;
}

// The documents of a file, cut by a simple loop.
Strings split(const std::string& text, const TextCutter::Documents& how) {
  Strings documents;
  size_t begin = 0;
  while (!how.separator.empty()) {
    const size_t at = text.find(how.separator, begin);
    if (at == text.npos) break;
    const size_t next = at + how.separator.size();
    documents.push_back(text.substr(begin, (how.keep_separator ? next : at) - begin));
    begin = next;
  }
  documents.push_back(text.substr(begin));
  std::erase(documents, "");
  return documents;
}

// Pushes a file in random parts and returns its blocks.
std::vector<TextBlock> cut(const std::string& text, const TextCutter::Documents& how,
                           size_t block_bytes, std::minstd_rand& random) {
  std::vector<TextBlock> blocks;
  TextCutter cutter("f", how, block_bytes,
                    [&](TextBlock block) { blocks.push_back(std::move(block)); });
  for (size_t begin = 0; begin < text.size();) {
    const size_t n = std::min<size_t>(1 + random() % 9, text.size() - begin);
    cutter.push(std::string_view(text).substr(begin, n));
    begin += n;
  }
  cutter.finish();
  return blocks;
}

// For each document, the pieces of its parts, each part pre-tokenised separately.
std::vector<Strings> pieces_of_documents(const std::vector<TextBlock>& blocks) {
  std::vector<Strings> documents;
  const auto add = [&](std::string_view stretch) {
    for (const std::string& piece : pieces(stretch)) documents.back().push_back(piece);
  };
  for (const TextBlock& block : blocks) {
    const std::string_view text = block.text;
    size_t begin = 0;
    for (const size_t next : block.begins) {
      if (next > begin) add(text.substr(begin, next - begin));
      documents.emplace_back();
      begin = next;
    }
    add(text.substr(begin));
  }
  return documents;
}

TEST(TextCutter, GivesThePiecesOfTheWholeForEveryBlockSizeAndSeparator) {
  const Strings alphabet = {" ",  "\n", "\n\n", "a",      "aa",     "b",
                            "'s", "<|", "|>",   "\u00A0", "\u3000", "\xE3"};
  std::minstd_rand random(11);
  for (const std::string separator : {"", "\n\n", "aa", "b a", "<|>", "\n"}) {
    for (int i = 0; i < 1500; ++i) {
      const TextCutter::Documents how{separator, random() % 2 == 0};
      std::string text;
      for (size_t n = random() % 40; n > 0; --n) text += alphabet[random() % alphabet.size()];
      const size_t block_bytes = 1 + random() % 20;

      const auto documents = pieces_of_documents(cut(text, how, block_bytes, random));

      std::vector<Strings> expected;
      for (const std::string& document : split(text, how)) expected.push_back(pieces(document));
      ASSERT_EQ(documents, expected)
          << "'" << text << "' by '" << separator << "' in blocks of " << block_bytes;
    }
  }
}

TEST(TextCutter, KeepsBlocksAboutTheSizeThatWasAskedFor) {
  std::string text;
  while (text.size() < 20000) text += "word upon word\n\n";
  std::minstd_rand random(5);

  for (const std::string separator : {"", "\n\n"}) {
    const std::vector<TextBlock> blocks = cut(text, {separator, false}, 100, random);

    EXPECT_GT(blocks.size(), 90u);
    for (const TextBlock& block : blocks) EXPECT_LE(block.text.size(), 200u);
  }
}

TEST(TextCutter, LetsABlockGrowWhereThereIsNoPlaceToCut) {
  std::string text(5000, 'x');
  while (text.size() < 20000) text += " and more";
  std::minstd_rand random(5);

  const std::vector<TextBlock> blocks = cut(text, {}, 10, random);

  EXPECT_GE(blocks[0].text.size(), 5000u);
  EXPECT_LE(blocks[0].text.size(), 10100u) << "at most twice what was needed";
  EXPECT_LE(blocks[1].text.size(), 20u);
}

TEST(TextCutter, EmptyFilesAndEmptyDocumentsGiveNothing) {
  std::minstd_rand random(5);

  EXPECT_TRUE(cut("", {}, 10, random).empty());
  EXPECT_TRUE(cut("----", {"--", false}, 10, random).empty());
  EXPECT_EQ(pieces_of_documents(cut("----", {"--", true}, 10, random)).size(), 2u)
      << "a separator that is kept is text";
}

TEST(TextCutter, SaysWhereEveryBlockComesFrom) {
  std::minstd_rand random(5);

  const std::vector<TextBlock> blocks = cut("one two three", {}, 4, random);

  ASSERT_GE(blocks.size(), 2u);
  for (const TextBlock& block : blocks) EXPECT_EQ(block.origin, "f");
}

}  // namespace
}  // namespace weft
