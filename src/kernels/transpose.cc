#include "kernels/transpose.h"

#include <algorithm>

#define HWY_TARGET_INCLUDE "kernels/transpose.cc"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

// A vector whose 128-bit block b holds four elements of row 4 b, rows `stride` apart.
template <class D>
HWY_INLINE hn::Vec<D> load_blocks(D d, const float* p, int64_t stride) {
  if constexpr (kLanesOf<D> == 4) {
    return LoadU(d, p);
  } else {
    const hn::Half<D> half;
    const float* upper = p + kLanesOf<D> / 2 * stride;
    return Combine(d, load_blocks(half, upper, stride), load_blocks(half, p, stride));
  }
}

// dst (4, N) = src (N, 4) transposed, for N lanes. The loads already put the blocks in place, so
// a 4 x 4 transposition inside each block remains, in two rounds of interleaving.
template <class D>
HWY_INLINE void transpose_four_columns(D d, Matrix<const float> src, Matrix<float> dst) {
  const auto row0 = load_blocks(d, src.data, src.stride);
  const auto row1 = load_blocks(d, src.data + src.stride, src.stride);
  const auto row2 = load_blocks(d, src.data + 2 * src.stride, src.stride);
  const auto row3 = load_blocks(d, src.data + 3 * src.stride, src.stride);

  const hn::RepartitionToWide<D> pairs;
  const auto lower01 = BitCast(pairs, InterleaveLower(d, row0, row1));
  const auto upper01 = BitCast(pairs, InterleaveUpper(d, row0, row1));
  const auto lower23 = BitCast(pairs, InterleaveLower(d, row2, row3));
  const auto upper23 = BitCast(pairs, InterleaveUpper(d, row2, row3));

  StoreU(BitCast(d, InterleaveLower(pairs, lower01, lower23)), d, dst.data);
  StoreU(BitCast(d, InterleaveUpper(pairs, lower01, lower23)), d, dst.data + dst.stride);
  StoreU(BitCast(d, InterleaveLower(pairs, upper01, upper23)), d, dst.data + 2 * dst.stride);
  StoreU(BitCast(d, InterleaveUpper(pairs, upper01, upper23)), d, dst.data + 3 * dst.stride);
}

HWY_INLINE void transpose_elements(Matrix<const float> src, Matrix<float> dst) {
  for (int64_t c = 0; c < src.cols; ++c) {
    for (int64_t r = 0; r < src.rows; ++r) dst.at(c, r) = src.at(r, c);
  }
}

// src is whole blocks of N rows and 4 columns. In tiles of 32 x 64, so that L1 holds both tiles and
// every cache line that the stores fill is complete before it leaves.
template <class D>
HWY_INLINE void transpose_blocks(D d, Matrix<const float> src, Matrix<float> dst) {
  constexpr int64_t N = kLanesOf<D>, kTileRows = 32, kTileCols = 64;
  for (int64_t c0 = 0; c0 < src.cols; c0 += kTileCols) {
    const int64_t c_end = std::min(c0 + kTileCols, src.cols);
    for (int64_t r0 = 0; r0 < src.rows; r0 += kTileRows) {
      const int64_t r_end = std::min(r0 + kTileRows, src.rows);
      for (int64_t c = c0; c < c_end; c += 4) {
        for (int64_t r = r0; r < r_end; r += N) {
          transpose_four_columns(d, src.block(r, N, c, 4), dst.block(c, 4, r, N));
        }
      }
    }
  }
}

void transpose(Matrix<const float> src, Matrix<float> dst) {
  // Not 16 lanes, which AVX-512 has: 16 rows that lie a multiple of 4 KiB apart do not fit in one
  // set of L1.
  const hn::CappedTag<float, 8> d;
  constexpr int64_t N = kLanesOf<decltype(d)>;
  int64_t rows = 0, cols = 0;
  if constexpr (N >= 4) {
    rows = src.rows / N * N;
    cols = src.cols / 4 * 4;
    transpose_blocks(d, src.block(0, rows, 0, cols), dst.block(0, cols, 0, rows));
  }
  transpose_elements(src.block(0, rows, cols, src.cols - cols),
                     dst.block(cols, src.cols - cols, 0, rows));
  transpose_elements(src.block(rows, src.rows - rows, 0, src.cols),
                     dst.block(0, src.cols, rows, src.rows - rows));
}

void copy(Matrix<const float> src, Matrix<float> dst) {
  for (int64_t r = 0; r < src.rows; ++r) {
    const float* from = src.row(r).data();
    float* to = dst.row(r).data();
    for_each_vector(Floats(), src.cols, [=](auto io, int64_t c) HWY_ATTR {
      prefetch_to_store(to + c);
      io.store(io.load(from + c), to + c);
    });
  }
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(transpose);
void transpose(Matrix<const float> src, Matrix<float> dst) noexcept {
  HWY_DYNAMIC_DISPATCH(transpose)(src, dst);
}

HWY_EXPORT(copy);
void copy(Matrix<const float> src, Matrix<float> dst) noexcept {
  HWY_DYNAMIC_DISPATCH(copy)(src, dst);
}

}  // namespace weft
#endif
