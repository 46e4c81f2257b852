#include "formats/dtype.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/error.h"

namespace weft {
namespace {

float decode_half(DType dtype, uint16_t bits) {
  float value = 0;
  decode_floats(dtype, std::as_bytes(std::span(&bits, 1)), {&value, 1});
  return value;
}

uint16_t to_bf16(float value) {
  uint16_t bits = 0;
  round_to_bf16({&value, 1}, {&bits, 1});
  return bits;
}

TEST(DType, NamesAreFoundAgain) {
  for (int i = 0; i <= static_cast<int>(DType::U64); ++i) {
    const DType dtype = static_cast<DType>(i);
    EXPECT_EQ(find_dtype(dtype_name(dtype)), dtype);
  }
  EXPECT_EQ(find_dtype("FLOAT"), std::nullopt);
}

TEST(DType, DecodesF16) {
  EXPECT_EQ(decode_half(DType::F16, 0x3C00), 1.0f);
  EXPECT_EQ(decode_half(DType::F16, 0xC000), -2.0f);
  EXPECT_EQ(decode_half(DType::F16, 0x7BFF), 65504.0f);               // the largest
  EXPECT_EQ(decode_half(DType::F16, 0x0400), std::ldexp(1.0f, -14));  // the smallest normal
  EXPECT_EQ(decode_half(DType::F16, 0x0001), std::ldexp(1.0f, -24));  // the smallest subnormal
  EXPECT_EQ(decode_half(DType::F16, 0x83FF), -std::ldexp(1023.0f, -24));
  EXPECT_EQ(decode_half(DType::F16, 0x3555), 0.333251953125f);
  EXPECT_EQ(decode_half(DType::F16, 0xFC00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(decode_half(DType::F16, 0x7E01)));
  EXPECT_TRUE(std::signbit(decode_half(DType::F16, 0x8000)));
}

TEST(DType, DecodesUnalignedBytes) {
  const float values[] = {1.5f, -3.25f, 7.0f};
  std::vector<std::byte> bytes(1 + sizeof(values));
  std::memcpy(bytes.data() + 1, values, sizeof(values));
  float decoded[3] = {};

  decode_floats(DType::F32, std::span(bytes).subspan(1), decoded);

  EXPECT_EQ(std::memcmp(decoded, values, sizeof(values)), 0);
}

TEST(DType, RoundsToBf16ByNearestEven) {
  EXPECT_EQ(to_bf16(1.0f), 0x3F80);
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3F808000u)), 0x3F80);  // a tie goes to even: down
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3F818000u)), 0x3F82);  // a tie goes to even: up
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3F808001u)), 0x3F81);
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3F807FFFu)), 0x3F80);
  EXPECT_EQ(to_bf16(std::numeric_limits<float>::max()), 0x7F80);  // rounds to infinity
  EXPECT_EQ(to_bf16(-0.0f), 0x8000);
  EXPECT_EQ(to_bf16(std::numeric_limits<float>::infinity()), 0x7F80);
  EXPECT_TRUE(std::isnan(decode_half(DType::BF16, to_bf16(std::bit_cast<float>(0x7F800001u)))));
}

TEST(DType, EveryBf16SurvivesARoundTrip) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float value = decode_half(DType::BF16, static_cast<uint16_t>(bits));
    if (!std::isnan(value)) {
      EXPECT_EQ(to_bf16(value), bits);
    }
  }
}

TEST(DType, EncodesPieceByPieceWhatDecodesToTheSame) {
  std::vector<float> values((1 << 16) + 3);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 251);
  for (const DType dtype : {DType::F32, DType::BF16}) {
    std::vector<std::byte> bytes;

    encode_floats(dtype, values, [&bytes](const void* data, size_t n) {
      const auto* first = static_cast<const std::byte*>(data);
      bytes.insert(bytes.end(), first, first + n);
    });

    std::vector<float> decoded(values.size());
    decode_floats(dtype, bytes, decoded);
    EXPECT_EQ(decoded, values);  // integers below 256 are exact in bf16
  }
}

TEST(DType, RefusesToDecodeOtherTypesAndSizes) {
  const std::vector<std::byte> bytes(8);
  float value = 0;

  EXPECT_THROW(decode_floats(DType::I64, bytes, {&value, 1}), Error);
  EXPECT_THROW(decode_floats(DType::F32, bytes, {&value, 1}), Error);
}

}  // namespace
}  // namespace weft
