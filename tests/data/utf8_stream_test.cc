#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "data/tokenizer.h"
#include "data/utf8.h"

namespace weft {
namespace {

using std::string_literals::operator""s;

constexpr std::string_view kFffd = "\xEF\xBF\xBD";

std::string replaced(std::string_view bytes) {
  Utf8Stream stream;
  std::string text = stream.push(bytes);
  return text + stream.finish();
}

std::string fffd(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += kFffd;
  return text;
}

TEST(Utf8Stream, PassesValidTextOfEveryLengthThrough) {
  const std::string text = "a\x7F\u0080\u07FF\u0800\uD7FF\uE000\uFFFF\U00010000\U0010FFFF\0z"s;

  EXPECT_EQ(replaced(text), text);
}

TEST(Utf8Stream, HoldsACharacterBackUntilItsLastByte) {
  Utf8Stream stream;

  EXPECT_EQ(stream.push("x\xF0"), "x");
  EXPECT_EQ(stream.push("\x9F"), "");
  EXPECT_EQ(stream.push("\xA6"), "");
  EXPECT_EQ(stream.push("\x99y"), "\U0001F999y");
  EXPECT_EQ(stream.finish(), "");
}

TEST(Utf8Stream, FinishReplacesAnIncompleteCharacterOnce) {
  for (const std::string_view cut : {"\xC3", "\xE2\x82", "\xF0\x9F\xA6"}) {
    Utf8Stream stream;

    EXPECT_EQ(stream.push(cut), "");
    EXPECT_EQ(stream.finish(), kFffd);
    EXPECT_EQ(stream.finish(), "") << "finish leaves nothing behind";
  }
}

// The Unicode Standard 15.0, tables 3-8 to 3-11: U+FFFD for maximal subparts.
TEST(Utf8Stream, ReplacesMaximalSubpartsAsTheUnicodeStandardShows) {
  EXPECT_EQ(replaced("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), fffd(8) + "A");  // overlong
  EXPECT_EQ(replaced("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), fffd(8) + "A");  // surrogates
  EXPECT_EQ(replaced("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),                  // too large
            fffd(5) + "A" + fffd(2) + "B");
  EXPECT_EQ(replaced("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), fffd(4) + "A");  // truncated
}

TEST(Utf8Stream, AnInvalidByteThatBeginsACharacterIsNotLost) {
  EXPECT_EQ(replaced("\xF0\x9F\xC3\xA9!"), fffd(1) + "\u00E9!");
}

TEST(Utf8Stream, GivesTheSameTextHoweverTheBytesAreCut) {
  const std::string bytes = "a\u00E9\xE2\x82\U0001F999\xF4\x90\xC3\xED\xA0\x80z\xF0\x9F\xA6"s;
  const std::string whole = replaced(bytes);

  for (size_t first = 0; first <= bytes.size(); ++first) {
    for (size_t second = first; second <= bytes.size(); ++second) {
      Utf8Stream stream;
      std::string text = stream.push(bytes.substr(0, first));
      text += stream.push(bytes.substr(first, second - first));
      text += stream.push(bytes.substr(second));
      text += stream.finish();
      ASSERT_EQ(text, whole) << "cut at " << first << " and " << second;
    }
  }
}

TEST(DecodeUtf8, GivesCodePointsAtTheLimitsOfEachLength) {
  const std::pair<std::string_view, char32_t> limits[] = {
      {"\x7F", 0x7F},     {"\u0080", 0x80},        {"\u07FF", 0x7FF},        {"\u0800", 0x800},
      {"\uFFFF", 0xFFFF}, {"\U00010000", 0x10000}, {"\U0010FFFF", 0x10FFFF},
  };
  for (const auto& [text, code_point] : limits) {
    const Utf8Char c = decode_utf8(text);

    EXPECT_EQ(c.kind, Utf8Kind::kValid);
    EXPECT_EQ(c.bytes, text.size());
    EXPECT_EQ(c.code_point, code_point);
  }
}

}  // namespace
}  // namespace weft
