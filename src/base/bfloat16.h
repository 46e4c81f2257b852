// BFloat16: the upper half of a float. The same range, 8 bits of precision instead of 24.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace weft {

// Trivially copyable; stored in files and memory as these two bytes.
struct BFloat16 {
  uint16_t bits;

  // The same bits, not the same number: NaN equals itself, and 0 differs from -0.
  bool operator==(const BFloat16&) const = default;
};
static_assert(sizeof(BFloat16) == 2);

// Exact.
inline float to_float(BFloat16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

// Rounded to nearest, ties to even; too large becomes infinite. Denormals are rounded like any
// number. NaN stays NaN, and becomes quiet.
inline BFloat16 to_bfloat16(float value) {
  constexpr uint32_t kQuiet = 0x40;
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return {static_cast<uint16_t>((bits >> 16) | kQuiet)};
  // Half of the last place that is kept; one less where that place is even, so that ties stay.
  const uint32_t rounding = 0x7FFF + ((bits >> 16) & 1);
  return {static_cast<uint16_t>((bits + rounding) >> 16)};
}

}  // namespace weft
