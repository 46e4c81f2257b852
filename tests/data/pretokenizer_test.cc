#include "data/pretokenizer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace weft {
namespace {

using std::string_literals::operator""s;
using Pieces = std::vector<std::string>;

Pieces pieces(std::string_view text) {
  Pieces pieces;
  while (!text.empty()) {
    const size_t bytes = first_piece(text);
    pieces.emplace_back(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return pieces;
}

TEST(Pretokenizer, OneSpaceJoinsTheWordTheNumberOrTheSignsAfterIt) {
  EXPECT_EQ(pieces("hello world"), (Pieces{"hello", " world"}));
  EXPECT_EQ(pieces("in 1984 ... ok"), (Pieces{"in", " 1984", " ...", " ok"}));
}

TEST(Pretokenizer, LettersNumbersAndSignsAreApart) {
  EXPECT_EQ(pieces("w048 x_y+z2"), (Pieces{"w", "048", " x", "_", "y", "+", "z", "2"}));
}

TEST(Pretokenizer, ContractionsAreCutInLowerCaseOnly) {
  EXPECT_EQ(pieces("don't"), (Pieces{"don", "'t"}));
  EXPECT_EQ(pieces("DON'T"), (Pieces{"DON", "'", "T"}));
  EXPECT_EQ(
      pieces("I've we'll they're I'm he'd it's"),
      (Pieces{"I", "'ve", " we", "'ll", " they", "'re", " I", "'m", " he", "'d", " it", "'s"}));
}

TEST(Pretokenizer, ContractionsWinOverWhatFollows) {
  EXPECT_EQ(pieces("'session"), (Pieces{"'s", "ession"}));
  EXPECT_EQ(pieces("'life"), (Pieces{"'", "life"}));
  EXPECT_EQ(pieces("'"), (Pieces{"'"}));
}

TEST(Pretokenizer, AnApostropheThatIsNotFirstBelongsToTheSigns) {
  EXPECT_EQ(pieces(" 's"), (Pieces{" '", "s"}));
  EXPECT_EQ(pieces("!'s"), (Pieces{"!'", "s"}));
  EXPECT_EQ(pieces("'''s"), (Pieces{"'''", "s"}));
}

TEST(Pretokenizer, ARunOfSpacesLeavesItsLastForTheNextPiece) {
  EXPECT_EQ(pieces("a   b"), (Pieces{"a", "  ", " b"}));
  EXPECT_EQ(pieces("  x"), (Pieces{" ", " x"}));
  EXPECT_EQ(pieces("x \n\n y"), (Pieces{"x", " \n\n", " y"}));
}

TEST(Pretokenizer, OnlyTheSpaceCharacterJoins) {
  EXPECT_EQ(pieces("a\tb"), (Pieces{"a", "\t", "b"}));
  EXPECT_EQ(pieces("a \n\tb"), (Pieces{"a", " \n", "\t", "b"}));
  EXPECT_EQ(pieces("a\u00A0b"), (Pieces{"a", "\u00A0", "b"}));
  EXPECT_EQ(pieces("a \u3000\u00A0b"), (Pieces{"a", " \u3000", "\u00A0", "b"}));
}

TEST(Pretokenizer, SpacesAtTheEndAreOnePiece) {
  EXPECT_EQ(pieces("a \r\n\u2003 "), (Pieces{"a", " \r\n\u2003 "}));
  EXPECT_EQ(pieces(" "), (Pieces{" "}));
}

// Before a sign, two spaces are separated, and the second joins the sign if it is U+0020; a second
// sign joins the same piece.
TEST(Pretokenizer, KnowsEveryWhiteSpaceCharacterAndNoOther) {
  for (const std::string space :
       {"\t", "\n", "\v", "\f", "\r", " ", "\u0085", "\u00A0", "\u1680", "\u2000", "\u200A",
        "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"}) {
    EXPECT_EQ(pieces(space + space + "!").size(), space == " " ? 2u : 3u) << space;
  }
  for (const std::string other :
       {"\x1C", "\x1D", "\x1E", "\x1F", "\u180E", "\u200B", "\u2060", "\uFEFF", "\x7F", "\u0084"}) {
    EXPECT_EQ(pieces(other + other + "!").size(), 1u) << other;
  }
}

TEST(Pretokenizer, LettersAndNumbersAreThoseOfUnicode) {
  EXPECT_EQ(pieces("\u0424\u00FChrer\u60F3\u01C5\u02B0\u05D0!"),  // Lu Ll Lo Lt Lm Lo
            (Pieces{"\u0424\u00FChrer\u60F3\u01C5\u02B0\u05D0", "!"}));
  EXPECT_EQ(pieces("\u2167\u00B2\u00BD\u0663x"),  // Nl No No Nd
            (Pieces{"\u2167\u00B2\u00BD\u0663", "x"}));
}

TEST(Pretokenizer, CombiningMarksAndEmojiAreSigns) {
  EXPECT_EQ(pieces("e\u0301x"), (Pieces{"e", "\u0301", "x"}));
  EXPECT_EQ(pieces(" \U0001F999.cpp"), (Pieces{" \U0001F999.", "cpp"}));
}

TEST(Pretokenizer, BytesThatAreNotUtf8AreSigns) {
  EXPECT_EQ(pieces("a\xFF\x80!b"s), (Pieces{"a", "\xFF\x80!", "b"}));
  EXPECT_EQ(pieces("a \xC3"), (Pieces{"a", " \xC3"})) << "a character cut by the end";
  EXPECT_EQ(pieces("\xC3\x61"), (Pieces{"\xC3", "a"})) << "a character cut by a letter";
  EXPECT_EQ(pieces("x\xED\xA0\x80y"s), (Pieces{"x", "\xED\xA0\x80", "y"})) << "a surrogate";
  EXPECT_EQ(pieces("x\xC1\x81y"s), (Pieces{"x", "\xC1\x81", "y"})) << "an overlong A";
}

TEST(Pretokenizer, ZeroBytesAreSigns) { EXPECT_EQ(pieces("a\0\0b"s), (Pieces{"a", "\0\0"s, "b"})); }

TEST(LastSafeCut, IsBeforeTheLastRunOfSpacesThatFollowsSomethingElse) {
  EXPECT_EQ(last_safe_cut("to be or"), 5u);
  EXPECT_EQ(last_safe_cut("to be  \n "), 5u);
  EXPECT_EQ(last_safe_cut("\u8a9e\u3000\u8a9e"), 3u);
  EXPECT_EQ(last_safe_cut("\xFF\nx"), 1u);
}

TEST(LastSafeCut, IsNoneWhereNoSpaceFollowsSomethingElse) {
  for (const char* text : {"", "word", " word", "\n\n", "\u2003\u2003x", "a\xC2", "a\xE2\x80"}) {
    EXPECT_EQ(last_safe_cut(text), 0u) << text;
  }
}

// Characters of every class, contractions, and bytes that are not UTF-8.
std::string random_text(std::mt19937& random) {
  const std::string units[] = {"a",      "'",          "s",    "ll",   "7",       "!",
                               "|",      " ",          "  ",   "\n",   "\u00e9",  "\u00a0",
                               "\u2003", "\U0001F999", "\x80", "\xE2", "\xE2\x80"};
  std::string text;
  for (size_t n = random() % 12; n > 0; --n) text += units[random() % std::size(units)];
  return text;
}

TEST(LastSafeCut, PiecesOfBothSidesAreThePiecesOfTheWholeWhateverFollows) {
  std::mt19937 random(1);
  int cuts = 0;
  for (int trial = 0; trial < 50'000; ++trial) {
    const std::string text = random_text(random), whole = text + random_text(random);
    const size_t cut = last_safe_cut(text);
    cuts += cut > 0;

    Pieces apart = pieces(whole.substr(0, cut));
    for (const std::string& piece : pieces(whole.substr(cut))) apart.push_back(piece);

    ASSERT_EQ(apart, pieces(whole)) << "cut at " << cut;
  }
  EXPECT_GT(cuts, 10'000) << "most texts should have a cut";
}

}  // namespace
}  // namespace weft
