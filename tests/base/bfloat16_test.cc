#include "base/bfloat16.h"

#include <gtest/gtest.h>

#include <limits>

namespace weft {
namespace {

float of_bits(uint32_t bits) { return std::bit_cast<float>(bits); }

TEST(BFloat16Test, KeepsEveryNumberOf16BitsAndMakesNansQuiet) {
  for (uint32_t bits = 0; bits < 1u << 16; ++bits) {
    const BFloat16 value{static_cast<uint16_t>(bits)};
    const bool is_nan = (bits & 0x7FFF) > 0x7F80;

    ASSERT_EQ(to_bfloat16(to_float(value)).bits, is_nan ? bits | 0x40 : bits);
    ASSERT_EQ(std::isnan(to_float(value)), is_nan);
  }
}

TEST(BFloat16Test, RoundsToNearestAndTiesToEven) {
  EXPECT_EQ(to_bfloat16(of_bits(0x3F807FFF)).bits, 0x3F80);
  EXPECT_EQ(to_bfloat16(of_bits(0x3F808000)).bits, 0x3F80);  // a tie: 0x3F80 is even
  EXPECT_EQ(to_bfloat16(of_bits(0x3F808001)).bits, 0x3F81);
  EXPECT_EQ(to_bfloat16(of_bits(0x3F818000)).bits, 0x3F82);  // a tie: 0x3F81 is odd
  EXPECT_EQ(to_bfloat16(of_bits(0xBF818000)).bits, 0xBF82);
}

TEST(BFloat16Test, RoundsDenormalsAndOverflowsLikeAnyNumber) {
  EXPECT_EQ(to_bfloat16(of_bits(0x00018000)).bits, 0x0002);
  EXPECT_EQ(to_bfloat16(of_bits(0x00007FFF)).bits, 0x0000);
  EXPECT_EQ(to_bfloat16(std::numeric_limits<float>::max()).bits, 0x7F80);
  EXPECT_EQ(to_bfloat16(-std::numeric_limits<float>::infinity()).bits, 0xFF80);
}

// Truncating these NaNs to their upper half would leave infinity.
TEST(BFloat16Test, NanStaysNanWhateverItsBits) {
  for (const uint32_t bits : {0x7F800001u, 0xFF80FFFFu, 0x7FFFFFFFu}) {
    EXPECT_TRUE(std::isnan(to_float(to_bfloat16(of_bits(bits)))));
  }
}

}  // namespace
}  // namespace weft
