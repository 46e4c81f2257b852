// Element types of stored tensors: names and sizes, and conversion to and from fp32.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace weft {

// Every type of the safetensors format, with its names and in its order, by which its writer sorts.
enum class DType {
  BOOL,
  F4,
  F6_E2M3,
  F6_E3M2,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
};

std::string_view dtype_name(DType dtype);
std::optional<DType> find_dtype(std::string_view name);
int dtype_bits(DType dtype);

// True of the types that decode_floats reads: F32, F16 and BF16.
bool holds_floats(DType dtype);

// out[i] = the i-th element of `bytes`, which need no alignment.
// REQUIRES: holds_floats(dtype), bytes.size() == out.size() * element size.
void decode_floats(DType dtype, std::span<const std::byte> bytes, std::span<float> out);

// The i-th bf16 of out = in[i], rounded to nearest, ties to even. NaN stays NaN.
void round_to_bf16(std::span<const float> in, std::span<uint16_t> out);

// Calls append(data, bytes), piece by piece, with the values stored as F32 or BF16.
template <typename Append>
void encode_floats(DType dtype, std::span<const float> values, Append append) {
  if (dtype == DType::F32) return append(values.data(), values.size_bytes());
  constexpr size_t kPiece = 1 << 16;
  std::vector<uint16_t> piece(std::min(values.size(), kPiece));
  for (size_t i = 0; i < values.size(); i += kPiece) {
    const size_t n = std::min(kPiece, values.size() - i);
    round_to_bf16(values.subspan(i, n), {piece.data(), n});
    append(piece.data(), n * sizeof(uint16_t));
  }
}

}  // namespace weft
