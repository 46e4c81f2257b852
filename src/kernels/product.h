// Product: the matrix kernels of an element type, how they want their right operand packed, and
// into which pieces a linear layer cuts its products for them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bfloat16.h"
#include "base/math.h"
#include "base/view.h"
#include "kernels/gemm.h"
#include "kernels/gemm_bf16.h"
#include "kernels/pack_bf16.h"
#include "kernels/transpose.h"

namespace weft {

// C (M, N) (+)= A (M, K) B (K, N), B packed.
struct ProductShape {
  int64_t M, N, K;
  int64_t lda, ldc;  // distances of rows
  bool accumulate;
};

// docs/model.md#precision
template <typename T>
struct Product;

// B is packed into panels of 64 columns, one after the other, each with its rows in order.
template <>
struct Product<float> {
  using Kernel = Gemm;

  static constexpr int64_t kPieceColumns = 64;

  // A strip of A of this many floats, at most, stays in the second cache level while all panels
  // pass; its rows are a multiple of 48, which libxsmm's kernels cut into blocks of 6 without a
  // rest. docs/decisions/matrix_products.md has the measurements.
  static constexpr int64_t kStripFloats = int64_t{48} << 10;
  static constexpr int64_t kStripUnit = 48;
  static int64_t strip_rows(int64_t K) {
    return std::max(kStripUnit, kStripFloats / std::max<int64_t>(K, 1) / kStripUnit * kStripUnit);
  }

  // Every fp32 result is computed in its own place.
  static constexpr size_t kPieceBytes = 0;

  // A product of dW sums over kBatchRows rows of the batch. It reads the transposed columns of dy
  // of kOutputs output channels and the packed columns of x of kInputs input channels.
  static constexpr int64_t kOutputs = 384;
  static constexpr int64_t kInputs = 64;
  static constexpr int64_t kBatchRows = 512;

  // REQUIRES: N is at most kPieceColumns.
  static Kernel kernel(const ProductShape& s, GemmBackend backend) {
    return Gemm({.M = s.M,
                 .N = s.N,
                 .K = s.K,
                 .lda = s.lda,
                 .ldb = s.N,
                 .ldc = s.ldc,
                 .accumulate = s.accumulate},
                backend);
  }

  static size_t packed_bytes(int64_t K, int64_t N) {
    return static_cast<size_t>(K * N) * sizeof(float);
  }
  // The first element of the packed columns from `col` on, a multiple of kPieceColumns.
  static int64_t packed_offset(int64_t K, int64_t col) { return col * K; }

  static void pack(Matrix<const float> B, float* packed) {
    for (int64_t n = 0; n < B.cols; n += kPieceColumns) {
      const int64_t cols = std::min(kPieceColumns, B.cols - n);
      copy(B.col_block(n, cols), Matrix<float>(packed + n * B.rows, B.rows, cols));
    }
  }
  static void pack_transposed(Matrix<const float> BT, float* packed) {
    for (int64_t n = 0; n < BT.rows; n += kPieceColumns) {
      const int64_t cols = std::min(kPieceColumns, BT.rows - n);
      transpose(BT.row_block(n, cols), Matrix<float>(packed + n * BT.cols, BT.cols, cols));
    }
  }
};

// B is packed as kernels/pack_bf16.h says.
template <>
struct Product<BFloat16> {
  using Kernel = GemmBf16;

  // A strip of rows of A and all of the packed operand stay in the second cache level, and so does
  // the piece of C that they meet in. docs/decisions/bf16.md has the measurements.
  static constexpr int64_t kPieceColumns = 128;
  static_assert(kPieceColumns % kBf16PanelColumns == 0);
  static constexpr int64_t kStripRows = 256;
  static int64_t strip_rows(int64_t /*K*/) { return kStripRows; }

  // A piece of C that the caller takes from scratch.
  static constexpr size_t kPieceBytes = kStripRows * kPieceColumns * sizeof(float);

  // As above, for dW.
  static constexpr int64_t kOutputs = 384;
  static constexpr int64_t kInputs = 128;
  static constexpr int64_t kBatchRows = 1024;

  static Kernel kernel(const ProductShape& s, GemmBackend) {
    return GemmBf16(
        {.M = s.M, .N = s.N, .K = s.K, .lda = s.lda, .ldc = s.ldc, .accumulate = s.accumulate});
  }

  // Whole cache lines.
  static size_t packed_bytes(int64_t K, int64_t N) {
    constexpr int64_t kLineBytes = 64;
    const int64_t bytes = packed_bf16_size(K, N) * int64_t{sizeof(BFloat16)};
    return static_cast<size_t>(round_up(bytes, kLineBytes));
  }
  static int64_t packed_offset(int64_t K, int64_t col) {
    return col / kBf16PanelColumns * bf16_panel_size(K);
  }

  static void pack(Matrix<const float> B, BFloat16* packed) {
    pack_bf16(B, {packed, static_cast<size_t>(packed_bf16_size(B.rows, B.cols))});
  }
  static void pack(Matrix<const BFloat16> B, BFloat16* packed) {
    pack_bf16(B, {packed, static_cast<size_t>(packed_bf16_size(B.rows, B.cols))});
  }
  static void pack_transposed(Matrix<const float> BT, BFloat16* packed) {
    pack_bf16_transposed(BT, {packed, static_cast<size_t>(packed_bf16_size(BT.cols, BT.rows))});
  }
};

}  // namespace weft
