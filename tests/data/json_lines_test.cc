#include "data/json_lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/error_of.h"

namespace weft {
namespace {

std::string text_of(std::string_view line) {
  return json_line_field(line, "text", "a.jsonl, line 3");
}

// The error of a line. Checks that it names the place of the line.
std::string error_of_line(std::string_view line) {
  std::string message = error_of([&] { text_of(line); });
  EXPECT_TRUE(mentions(message, {"[data.jsonl] a.jsonl, line 3 "}));
  return message;
}

TEST(JsonLineField, IsTheStringWithItsEscapesResolved) {
  EXPECT_EQ(text_of(R"({"text": "one"})"), "one");
  EXPECT_EQ(
      text_of(R"({"id": [1, {"text": 2}], "text": "a\n\"\u00e9\ud83e\udd99\u0000", "z": 1.5e3})"),
      std::string("a\n\"\u00E9\U0001F999\0", 10));
  EXPECT_EQ(text_of("{\"text\": \"\u6F22\"}\r"), "\u6F22");
  EXPECT_EQ(text_of("\xEF\xBB\xBF{\"text\": \"after a byte order mark\"}"),
            "after a byte order mark");
  EXPECT_EQ(json_line_field(R"({"text": 1, "body": ""})", "body", ""), "");
}

TEST(JsonLineField, OfAnInnerObjectDoesNotCount) {
  EXPECT_TRUE(
      mentions(error_of_line(R"({"inner": {"text": "x"}})"), {"no field \"text\"", "--field"}));
  EXPECT_TRUE(mentions(error_of_line(R"({"text": {"text": "x"}})"), {"no string"}));
  EXPECT_TRUE(mentions(error_of_line(R"({"text": ["x"]})"), {"no string"}));
}

TEST(JsonLineField, MustBeThereOnceAsAString) {
  EXPECT_TRUE(mentions(error_of_line("{}"), {"no field \"text\"", "--field"}));
  for (const char* value : {"null", "true", "-1", "1", "1.5", "{}", "[]"}) {
    const std::string line = std::string("{\"text\": ") + value + ", \"more\": \"string\"}";
    EXPECT_TRUE(mentions(error_of_line(line), {"holds no string in \"text\"", "--field"})) << line;
  }
  EXPECT_TRUE(mentions(error_of_line(R"({"text": "a", "text": "b"})"), {"\"text\" twice"}));
}

TEST(JsonLineField, NeedsOneObject) {
  for (const char* line : {"[]", "\"text\"", "1", "null", R"([{"text": "x"}])"}) {
    EXPECT_TRUE(mentions(error_of_line(line), {"is not a JSON object"})) << line;
  }
}

TEST(JsonLineField, NeedsJsonInUtf8) {
  const std::string whole = R"({"text": "some text"})";
  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_TRUE(mentions(error_of_line(whole.substr(0, n)), {"is not JSON"})) << n;
  }
  for (const char* line : {"{'text': 'x'}", "{\"text\": \"\xFF\"}", "{\"text\": \"\\ud800\"}",
                           "{\"text\": \"x\"} {}", "{\"text\": \"x\"},", "{\"text\": \"\t\"}",
                           "{\"text\": \"x\", \"n\": 1e999}", "{\"text\": \"x\", \"n\": NaN}"}) {
    EXPECT_TRUE(mentions(error_of_line(line), {"is not JSON"})) << line;
  }
  EXPECT_TRUE(mentions(error_of_line(std::string("{\"text\": \"x\"}\0junk", 18)), {"is not JSON"}));
}

TEST(JsonLineField, StandsDeepNesting) {
  const std::string open(100'000, '['), close(100'000, ']');

  EXPECT_EQ(text_of("{\"deep\": " + open + close + ", \"text\": \"x\"}"), "x");
  EXPECT_TRUE(mentions(error_of_line("{\"deep\": " + open), {"is not JSON"}));
}

TEST(JsonLines, AreADocumentEach) {
  const TextBlock block = parse_json_lines(
      {"a.jsonl", 1, "{\"text\": \"one\"}\n \n{\"text\": \"\"}\r\n\n{\"text\": \"two\"}"}, "text");

  EXPECT_EQ(block.text, "onetwo");
  EXPECT_EQ(block.begins, (std::vector<size_t>{0, 3}));
}

TEST(JsonLines, AreNumberedInErrors) {
  const std::string lines = "{\"text\": \"one\"}\n\n{\"txt\": \"two\"}\n";

  EXPECT_TRUE(mentions(error_of([&] {
                         parse_json_lines({"b.jsonl", 40, lines}, "text");
                       }),
                       {"b.jsonl, line 42 has no field"}));
}

TEST(LineCutter, GivesWholeLinesWithTheirNumbersForEveryBlockSize) {
  const std::string file = "first\n\nthird is longer\n4\n\n\nseventh without an end";
  for (size_t block_bytes = 1; block_bytes < 60; ++block_bytes) {
    for (size_t part = 1; part < 60; ++part) {
      std::string joined;
      LineCutter cutter("f", block_bytes, [&](const JsonLinesBlock& block) {
        EXPECT_EQ(block.path, "f");
        EXPECT_EQ(block.first_line, 1 + std::count(joined.begin(), joined.end(), '\n'));
        EXPECT_TRUE(joined.empty() || joined.back() == '\n');
        joined += block.lines;
      });
      for (size_t begin = 0; begin < file.size(); begin += part) {
        cutter.push(std::string_view(file).substr(begin, part));
      }
      cutter.finish();

      ASSERT_EQ(joined, file) << block_bytes << ", " << part;
    }
  }
}

TEST(LineCutter, RefusesALineThatWouldFillTheMemory) {
  LineCutter cutter(
      "big.jsonl", 8, [](const JsonLinesBlock&) {}, 100);
  cutter.push("{}\n{}\n" + std::string(100, 'x'));

  EXPECT_TRUE(mentions(error_of([&] { cutter.push("x"); }),
                       {"big.jsonl, line 3", "100 bytes", "a line of its own"}));
}

}  // namespace
}  // namespace weft
