#include "kernels/pack_bf16.h"

#include <algorithm>

#include "kernels/bfloat16.h"
#include "kernels/transpose.h"

#define HWY_TARGET_INCLUDE "kernels/pack_bf16.cc"
#include "kernels/simd-inl.h"
// Below simd-inl.h, which it needs.
#include "kernels/bfloat16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

// pairs[n] = (even[n], odd[n]) for a panel's columns.
template <typename T>
HWY_INLINE void interleave(const T* even, const T* odd, uint32_t* pairs) {
  for (int64_t n = 0; n < kBf16PanelColumns; n += kLanesOf<Words>) {
    const auto lower = load_bf16_bits(even + n);
    const auto upper = hn::ShiftLeft<16>(load_bf16_bits(odd + n));
    StoreU(Or(lower, upper), Words(), pairs + n);
  }
}

// A panel's rows as they lie in memory, with zeros beyond the matrix.
template <typename T>
class PaddedRows {
 public:
  explicit PaddedRows(Matrix<const T> src) : src_(src) {}

  // Row k, 32 elements. The rows of one parity share a buffer.
  HWY_INLINE const T* row(int64_t k) {
    if (k >= src_.rows) return zeros_;
    const T* const row = src_.data + k * src_.stride;
    if (src_.cols == kBf16PanelColumns) return row;
    std::copy_n(row, src_.cols, buffers_[k % 2]);
    return buffers_[k % 2];
  }

 private:
  Matrix<const T> src_;
  T zeros_[kBf16PanelColumns] = {};
  T buffers_[2][kBf16PanelColumns] = {};
};

template <typename T>
HWY_INLINE void pack_panels(Matrix<const T> src, Vector<BFloat16> packed) {
  auto* pairs = reinterpret_cast<uint32_t*>(packed.data());
  const int64_t rows = round_up(src.rows, kBf16PanelRows);
  for (int64_t n = 0; n < src.cols; n += kBf16PanelColumns) {
    PaddedRows<T> panel(src.col_block(n, std::min(kBf16PanelColumns, src.cols - n)));
    for (int64_t k = 0; k < rows; k += 2, pairs += kBf16PanelColumns) {
      interleave(panel.row(k), panel.row(k + 1), pairs);
    }
  }
}

void pack_bf16_rows(Matrix<const BFloat16> src, Vector<BFloat16> packed) {
  pack_panels(src, packed);
}

void pack_fp32_rows(Matrix<const float> src, Vector<BFloat16> packed) { pack_panels(src, packed); }

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {
namespace {

// A pair of bf16 moves as one element of 32 bits; transpose() does not interpret it.
Matrix<float> pairs_of(BFloat16* data, int64_t rows, int64_t pairs, int64_t stride) {
  return {reinterpret_cast<float*>(data), rows, pairs, stride / 2};
}

void gather(Matrix<const float> src, Matrix<BFloat16> dst) { convert(src, dst); }

void gather(Matrix<const BFloat16> src, Matrix<BFloat16> dst) {
  for (int64_t r = 0; r < src.rows; ++r) std::ranges::copy(src.row(r), dst.row(r).begin());
}

// Columns of W, and rows of a matrix to transpose, that a buffer in L1 takes at once.
constexpr int64_t kStagedColumns = 128;
constexpr int64_t kStagedRows = 64;

// 32 rows of W through a buffer that adds the padding: then pairs are transposed.
template <typename T>
void pack_transposed_panel(Matrix<const T> src, BFloat16* packed) {
  alignas(64) BFloat16 staged[kBf16PanelColumns * kStagedColumns] = {};
  for (int64_t k = 0; k < src.cols; k += kStagedColumns) {
    const int64_t n_k = std::min(kStagedColumns, src.cols - k);
    const int64_t padded = round_up(n_k, kBf16PanelRows);
    if (padded > n_k) std::ranges::fill(staged, BFloat16{0});
    gather(src.col_block(k, n_k), {staged, src.rows, n_k, kStagedColumns});
    transpose(pairs_of(staged, kBf16PanelColumns, padded / 2, kStagedColumns),
              pairs_of(packed + k * kBf16PanelColumns, padded / 2, kBf16PanelColumns,
                       2 * kBf16PanelColumns));
  }
}

template <typename T>
void pack_transposed_panels(Matrix<const T> src, Vector<BFloat16> packed) {
  for (int64_t n = 0; n < src.rows; n += kBf16PanelColumns) {
    pack_transposed_panel(src.row_block(n, std::min(kBf16PanelColumns, src.rows - n)),
                          packed.data() + n / kBf16PanelColumns * bf16_panel_size(src.cols));
  }
}

// A packed panel has pairs of rows together, so only the pairs have to be transposed.
template <typename T>
void transpose_by_panels(Matrix<const T> src, Matrix<BFloat16> dst) {
  alignas(64) BFloat16 panel[bf16_panel_size(kStagedRows)];
  for (int64_t r = 0; r < src.rows; r += kStagedRows) {
    const int64_t n_r = std::min(kStagedRows, src.rows - r);
    for (int64_t c = 0; c < src.cols; c += kBf16PanelColumns) {
      const int64_t n_c = std::min(kBf16PanelColumns, src.cols - c);
      pack_bf16(src.block(r, n_r, c, n_c), panel);
      transpose(pairs_of(panel, ceil_div(n_r, 2), n_c, 2 * kBf16PanelColumns),
                pairs_of(&dst.at(c, r), n_c, ceil_div(n_r, 2), dst.stride));
    }
  }
}

}  // namespace

HWY_EXPORT(pack_bf16_rows);
void pack_bf16(Matrix<const BFloat16> src, Vector<BFloat16> packed) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_bf16_rows)(src, packed);
}

HWY_EXPORT(pack_fp32_rows);
void pack_bf16(Matrix<const float> src, Vector<BFloat16> packed) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_fp32_rows)(src, packed);
}

void pack_bf16_transposed(Matrix<const BFloat16> src, Vector<BFloat16> packed) noexcept {
  pack_transposed_panels(src, packed);
}

void pack_bf16_transposed(Matrix<const float> src, Vector<BFloat16> packed) noexcept {
  pack_transposed_panels(src, packed);
}

void transpose(Matrix<const BFloat16> src, Matrix<BFloat16> dst) noexcept {
  transpose_by_panels(src, dst);
}

void transpose(Matrix<const float> src, Matrix<BFloat16> dst) noexcept {
  transpose_by_panels(src, dst);
}

}  // namespace weft
#endif
