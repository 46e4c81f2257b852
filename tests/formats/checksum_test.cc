#include "formats/checksum.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

std::string checksum_of(std::string_view text) {
  return checksum(std::as_bytes(std::span(text.data(), text.size())));
}

// The first is in the XXH3 specification's own test vectors.
TEST(Checksum, IsXxh3Of64Bits) {
  EXPECT_EQ(checksum_of(""), "2d06800538d394c2");
  EXPECT_EQ(checksum_of("weft").size(), 16u);
}

TEST(Checksum, OfAFileIsThatOfItsBytes) {
  const TempDirectory dir;
  for (const size_t n : {0, 1, 239, 241, 100'003, 3'000'001}) {
    const std::string text(n, 'w');

    EXPECT_EQ(file_checksum(dir.write("file", text)), checksum_of(text)) << n;
  }
}

TEST(Checksum, ChangesWithEveryBit) {
  const std::string text(257, '\x5a');
  const std::string whole = checksum_of(text);

  for (size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(checksum_of(flipped), whole) << bit;
  }
}

TEST(Checksum, NamesTheFileThatCannotBeRead) {
  const TempDirectory dir;

  const std::string error = error_of([&] { file_checksum(dir / "missing"); });

  EXPECT_TRUE(mentions(error, {"missing"}));
}

}  // namespace
}  // namespace weft
