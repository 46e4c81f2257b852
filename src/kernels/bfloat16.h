// Conversion of fp32 rows to bf16 and back.
#pragma once

#include "base/bfloat16.h"
#include "base/view.h"

namespace weft {

// dst = src, rounded to nearest, ties to even: the bits of to_bfloat16 on every CPU.
// REQUIRES: the same shape. Moves 6 bytes per element; no FLOPs.
// docs/model.md#precision
void convert(Matrix<const float> src, Matrix<BFloat16> dst) noexcept;

// dst = src, exactly.
void convert(Matrix<const BFloat16> src, Matrix<float> dst) noexcept;

// Like that, for one row.
inline void convert(Vector<const float> src, Vector<BFloat16> dst) noexcept {
  const auto n = static_cast<int64_t>(src.size());
  convert(Matrix<const float>(src.data(), 1, n), Matrix<BFloat16>(dst.data(), 1, n));
}
inline void convert(Vector<const BFloat16> src, Vector<float> dst) noexcept {
  const auto n = static_cast<int64_t>(src.size());
  convert(Matrix<const BFloat16>(src.data(), 1, n), Matrix<float>(dst.data(), 1, n));
}

}  // namespace weft
