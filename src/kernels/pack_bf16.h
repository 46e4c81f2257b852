// The packed operand of a bf16 product: the order that tiles and vdpbf16ps read it in.
//
// B (K, N) is cut into panels of 32 columns, one after another. A panel is [Kp / 2][32][2], where
// Kp is K rounded up to 32: element (k, n) of the panel lies at (k / 2 * 32 + n) * 2 + k % 2, so
// that a pair of rows is together. Rows from K to Kp and columns beyond N are zero.
#pragma once

#include <cstdint>

#include "base/bfloat16.h"
#include "base/math.h"
#include "base/view.h"

namespace weft {

inline constexpr int64_t kBf16PanelColumns = 32;
inline constexpr int64_t kBf16PanelRows = 32;  // a panel has a multiple of them

// Elements of a panel, and of all panels, of B (K, N). A whole number of cache lines.
constexpr int64_t bf16_panel_size(int64_t K) {
  return round_up(K, kBf16PanelRows) * kBf16PanelColumns;
}
constexpr int64_t packed_bf16_size(int64_t K, int64_t N) {
  return bf16_panel_size(K) * ceil_div(N, kBf16PanelColumns);
}

// All of these take fp32 too, and round it to nearest even on the way. `packed` is at least
// 4-byte aligned; 64 bytes are best.

// packed = B, for a product with B = src (K, N). packed has packed_bf16_size(K, N) elements.
void pack_bf16(Matrix<const BFloat16> src, Vector<BFloat16> packed) noexcept;
void pack_bf16(Matrix<const float> src, Vector<BFloat16> packed) noexcept;

// packed = B, for a product with B = src^T, where src is (N, K): y = x W^T from W as it is stored.
void pack_bf16_transposed(Matrix<const BFloat16> src, Vector<BFloat16> packed) noexcept;
void pack_bf16_transposed(Matrix<const float> src, Vector<BFloat16> packed) noexcept;

// dst(c, r) = src(r, c), for an operand A = src^T. dst is (src.cols, src.rows rounded up to even);
// the column that the rounding adds is zero. REQUIRES: dst.stride even, dst.data 4-byte aligned.
void transpose(Matrix<const BFloat16> src, Matrix<BFloat16> dst) noexcept;
void transpose(Matrix<const float> src, Matrix<BFloat16> dst) noexcept;

}  // namespace weft
