#include "base/gzip.h"

#include <gtest/gtest.h>

#include <istream>
#include <iterator>

#include "base/files.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

class GzipTest : public testing::Test {
 protected:
  std::string packed(const std::vector<std::string>& pieces) const {
    GzipWriter writer(directory_ / "a.gz");
    for (const std::string& piece : pieces) writer.append(piece);
    writer.finish();
    return read_file(directory_ / "a.gz");
  }
  std::string unpacked(const std::string& bytes) const {
    GzipReader reader(directory_.write("b.gz", bytes), "test");
    return {std::istreambuf_iterator<char>(&reader), {}};
  }

  // Text with few repetitions, longer than the buffers.
  static std::string long_text() {
    std::string text;
    for (uint32_t i = 0; text.size() < 300'000; ++i) text += std::to_string(i * 2654435761u) + ' ';
    return text;
  }

  TempDirectory directory_;
};

TEST_F(GzipTest, UnpacksWhatItPacked) {
  const std::string text = long_text();

  EXPECT_EQ(unpacked(packed({text})), text);
  EXPECT_EQ(unpacked(packed({"a", "", text, "b"})), "a" + text + "b");
  EXPECT_EQ(unpacked(packed({})), "");
  EXPECT_LT(packed({text}).size(), text.size());
}

// `cat a.gz b.gz` makes such files.
TEST_F(GzipTest, ReadsSeveralMembers) {
  const std::string text = long_text();

  EXPECT_EQ(unpacked(packed({"one"}) + packed({}) + packed({text})), "one" + text);
}

TEST_F(GzipTest, RefusesTruncatedAndDamagedFiles) {
  const std::string whole = packed({"a text of some length, a text of some length"});

  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const std::string message = error_of([&] { unpacked(whole.substr(0, bytes)); });
    EXPECT_TRUE(mentions(message, {"b.gz", "breaks off"})) << bytes;
  }
  std::string damaged = whole;
  damaged[damaged.size() - 5] ^= 1;  // the last byte of the checksum
  EXPECT_TRUE(mentions(error_of([&] { unpacked(damaged); }), {"b.gz", "damaged"}));
  EXPECT_TRUE(mentions(error_of([&] { unpacked(whole + "x"); }), {"breaks off"}));
  EXPECT_TRUE(mentions(error_of([&] { unpacked(whole + "xxxxxxxx"); }), {"damaged"}));
  EXPECT_TRUE(mentions(error_of([&] { unpacked("{\"no\": \"gzip file\"}"); }), {"no gzip"}));
}

TEST_F(GzipTest, RefusesAFileThatUnpacksToFarMoreThanItHolds) {
  const std::string bomb = packed({std::string(20'000'000, ' ')});

  EXPECT_TRUE(mentions(error_of([&] { unpacked(bomb); }), {"b.gz", "100 times"}));
  EXPECT_EQ(unpacked(packed({std::string(1'000'000, ' ')})).size(), 1'000'000u);
}

}  // namespace
}  // namespace weft
