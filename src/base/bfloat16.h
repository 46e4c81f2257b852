// BFloat16: the upper half of a float, with the same range and 8 bits of precision instead of 24.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace weft {

// Trivially copyable; files and memory hold these two bytes.
struct BFloat16 {
  uint16_t bits;

  // Compares bits, not numbers: NaN equals itself, and 0 differs from -0.
  bool operator==(const BFloat16&) const = default;
};
static_assert(sizeof(BFloat16) == 2);

// The conversion is exact.
inline float to_float(BFloat16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

// Rounds to nearest, ties to even. Numbers that are too large become infinite, denormals are
// rounded like other numbers, and NaN becomes a quiet NaN.
inline BFloat16 to_bfloat16(float value) {
  constexpr uint32_t kQuiet = 0x40;
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return {static_cast<uint16_t>((bits >> 16) | kQuiet)};
  // Half a unit of the last kept bit; one less if that bit is 0, so that ties round to even.
  const uint32_t rounding = 0x7FFF + ((bits >> 16) & 1);
  return {static_cast<uint16_t>((bits + rounding) >> 16)};
}

}  // namespace weft
