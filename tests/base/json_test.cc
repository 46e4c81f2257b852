#include "base/json.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/error_of.h"
#include "support/special_files.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

using namespace std::string_literals;

std::string parse_error(std::string_view text) {
  return error_of([&] { parse_json(text, "where", "the text"); });
}

std::string nested(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST(Json, ReadsOneValueOfAnyKind) {
  EXPECT_EQ(parse_json(" {\"a\": [1, -2, 2.5, true, null]}\n", "w", "s")["a"][2], 2.5);
  EXPECT_EQ(parse_json("7", "w", "s"), 7);
  EXPECT_EQ(parse_json(nested(32), "w", "s").size(), 1u);
}

TEST(Json, TheSameKeyInTwoObjectsIsNoDuplicate) {
  EXPECT_EQ(parse_error(R"({"a":{"k":1},"b":{"k":2},"c":[{"k":3},{"k":4}]})"), "");
}

TEST(Json, RefusesMalformedTextThatTheLibraryAccepts) {
  EXPECT_TRUE(mentions(parse_error(R"({"k":1,"k":2})"), {"[where] the text", "\"k\" twice"}));
  EXPECT_TRUE(mentions(parse_error(R"({"k":1,"\u006b":2})"), {"\"k\" twice"}));
  EXPECT_TRUE(mentions(parse_error(R"([{"a":{"k":1,"k":2}}])"), {"\"k\" twice"}));
  EXPECT_TRUE(mentions(parse_error(nested(33)), {"nests deeper than 32 levels"}));
  EXPECT_TRUE(mentions(parse_error("\xEF\xBB\xBF{}"), {"byte order mark"}));
  EXPECT_TRUE(mentions(parse_error("{}\0{"s), {"NUL byte"}));
}

TEST(Json, RefusesEveryTruncation) {
  const std::string whole = R"({"key":["text \u00e9",12.5e3,{"a":null}]})";
  ASSERT_EQ(parse_error(whole), "");

  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_TRUE(mentions(parse_error(whole.substr(0, n)), {"[where] the text is not JSON"})) << n;
  }
}

TEST(Json, RefusesTextThatIsNotUtf8) {
  // A lone byte, an overlong form, a surrogate, a value beyond U+10FFFF, a truncated sequence.
  for (const char* bytes : {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    EXPECT_TRUE(mentions(parse_error("\"" + std::string(bytes) + "\""), {"not JSON in UTF-8"}));
  }
  EXPECT_TRUE(mentions(parse_error(R"("\ud800")"), {"not JSON in UTF-8"}));
}

TEST(Json, RefusesNumbersThatNoDoubleHolds) {
  EXPECT_TRUE(mentions(parse_error("[1e999]"), {"a number that is out of range"}));
  EXPECT_TRUE(mentions(parse_error("NaN"), {"not JSON"}));
}

TEST(Json, AFileMustHoldAnObject) {
  const TempDirectory dir;
  const auto error = [&](std::string_view text) {
    const auto path = dir.write("file.json", text);
    return error_of([&] { read_json_object(path, "where"); });
  };

  EXPECT_EQ(error("{}"), "");
  EXPECT_TRUE(mentions(error("[]"), {"[where]", "file.json is not a JSON object"}));
  EXPECT_TRUE(mentions(error(""), {"[where]", "file.json is not JSON"}));
}

TEST(Json, AFileOfMoreThan100MegabytesIsNotRead) {
  const TempDirectory dir;
  const auto path = dir.write("huge.json", "{");
  std::filesystem::resize_file(path, 100'000'001);

  EXPECT_TRUE(mentions(error_of([&] { read_json_object(path, "where"); }),
                       {"huge.json is too large: 100000001 bytes"}));
}

TEST(Json, SaysWhyAFileCannotBeRead) {
  for (const SpecialFile& special : special_files()) {
    const TempDirectory dir;
    special.make(dir / "file.json");

    EXPECT_TRUE(mentions(error_of([&] { read_json_object(dir / "file.json", "where"); }),
                         {"file.json", special.reason}));
  }
}

TEST(Json, LinesAreReadInOrderAndATornLastLineIsReported) {
  std::vector<std::string> places;
  std::vector<int> values;
  const auto note = [&](const nlohmann::json& record, std::string_view, const std::string& place) {
    values.push_back(record.at("a").get<int>());
    places.push_back(place);
  };

  EXPECT_FALSE(for_each_json_line("{\"a\":1}\n{\"a\":2}\n", "w", "log", note));
  const auto torn = for_each_json_line("{\"a\":3}\n{\"a\"", "w", "log", note);

  EXPECT_EQ(values, (std::vector{1, 2, 3}));
  EXPECT_EQ(places, (std::vector{"log: line 1"s, "log: line 2"s, "log: line 1"s}));
  ASSERT_TRUE(torn);
  EXPECT_EQ(torn->place, "log: line 2");
  EXPECT_EQ(torn->bytes, 4u);
  EXPECT_TRUE(mentions(error_of([&] { for_each_json_line("{\n{\"a\":1}\n", "w", "log", note); }),
                       {"[w]", "log: line 1"}));
}

TEST(Json, PrintableTextStaysShortAndOnOneLine) {
  EXPECT_EQ(printable("wte.weight"), "\"wte.weight\"");
  EXPECT_EQ(printable("a\n\x1b\x7f\xc3\xa9"), "\"a\\x0a\\x1b\\x7f\\xc3\\xa9\"");
  EXPECT_EQ(printable(std::string(80, 'x')), "\"" + std::string(80, 'x') + "\"");
  EXPECT_EQ(printable(std::string(81, 'x')), "\"" + std::string(80, 'x') + "...\"");
}

}  // namespace
}  // namespace weft
