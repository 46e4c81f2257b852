#include "formats/dtype.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/bfloat16.h"
#include "base/error.h"

namespace weft {
namespace {

// Files are little-endian and are copied without swapping bytes.
static_assert(std::endian::native == std::endian::little);

struct DTypeEntry {
  DType dtype;
  std::string_view name;
  int bits;
};

constexpr auto kDTypes = std::to_array<DTypeEntry>({
    {DType::BOOL, "BOOL", 8},
    {DType::F4, "F4", 4},
    {DType::F6_E2M3, "F6_E2M3", 6},
    {DType::F6_E3M2, "F6_E3M2", 6},
    {DType::U8, "U8", 8},
    {DType::I8, "I8", 8},
    {DType::F8_E5M2, "F8_E5M2", 8},
    {DType::F8_E4M3, "F8_E4M3", 8},
    {DType::F8_E8M0, "F8_E8M0", 8},
    {DType::F8_E4M3FNUZ, "F8_E4M3FNUZ", 8},
    {DType::F8_E5M2FNUZ, "F8_E5M2FNUZ", 8},
    {DType::I16, "I16", 16},
    {DType::U16, "U16", 16},
    {DType::F16, "F16", 16},
    {DType::BF16, "BF16", 16},
    {DType::I32, "I32", 32},
    {DType::U32, "U32", 32},
    {DType::F32, "F32", 32},
    {DType::C64, "C64", 64},
    {DType::F64, "F64", 64},
    {DType::I64, "I64", 64},
    {DType::U64, "U64", 64},
});

constexpr const DTypeEntry& entry(DType dtype) { return kDTypes[static_cast<size_t>(dtype)]; }

constexpr bool table_is_in_enum_order() {
  for (size_t i = 0; i < kDTypes.size(); ++i) {
    if (static_cast<size_t>(kDTypes[i].dtype) != i) return false;
  }
  return true;
}
static_assert(table_is_in_enum_order());

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits.
float f16_to_float(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits >> 15) << 31;
  const uint32_t exponent = (bits >> 10) & 0x1F;
  const uint32_t fraction = bits & 0x3FF;
  if (exponent == 0) {  // subnormal: fraction * 2^-24
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide_exponent = exponent == 0x1F ? 0xFF : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (fraction << 13));
}

template <typename Convert>
void decode_halves(std::span<const std::byte> bytes, std::span<float> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, bytes.data() + i * sizeof(bits), sizeof(bits));
    out[i] = convert(bits);
  }
}

}  // namespace

std::string_view dtype_name(DType dtype) { return entry(dtype).name; }

std::optional<DType> find_dtype(std::string_view name) {
  for (const DTypeEntry& candidate : kDTypes) {
    if (candidate.name == name) return candidate.dtype;
  }
  return std::nullopt;
}

int dtype_bits(DType dtype) { return entry(dtype).bits; }

bool holds_floats(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

void decode_floats(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  require(holds_floats(dtype), "decode_floats reads F32, F16 and BF16");
  require(bytes.size() == out.size() * static_cast<size_t>(dtype_bits(dtype) / 8),
          "decode_floats needs as many elements as it writes");
  if (out.empty()) return;
  if (dtype == DType::F32) {
    std::memcpy(out.data(), bytes.data(), bytes.size());
  } else if (dtype == DType::F16) {
    decode_halves(bytes, out, f16_to_float);
  } else {
    decode_halves(bytes, out, [](uint16_t bits) { return to_float(BFloat16{bits}); });
  }
}

void round_to_bf16(std::span<const float> in, std::span<uint16_t> out) {
  for (size_t i = 0; i < in.size(); ++i) out[i] = to_bfloat16(in[i]).bits;
}

}  // namespace weft
