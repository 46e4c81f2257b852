// Linear layer: y = x W^T + b forward and its two gradients, on row tiles and blocks of channels.
// Each product packs the operand that would be read with a long stride into scratch, once per call,
// and keeps its sums in registers over the whole inner dimension.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "base/bfloat16.h"
#include "base/view.h"
#include "kernels/gemm.h"

namespace weft {

// A piece of a product's result: rows [row, row + rows), columns [col, col + cols).
struct Piece {
  int64_t row, rows;
  int64_t col, cols;
};

// What a caller does with a piece that has just been computed and is still in cache: `values` is
// the piece. May be empty; must not throw.
using PieceDone = std::function<void(const Piece&, Matrix<float> values)>;

// C (M, N) (+)= A (M, K) B (K, N): all of B is packed into panels of columns, then each strip of
// the rows of A meets every panel before the next strip is read.
// docs/model.md#linear-layers
class PackedProduct {
 public:
  static constexpr int64_t kPanelColumns = 64;

  PackedProduct(int64_t M, int64_t N, int64_t K, int64_t lda, int64_t ldc, bool accumulate,
                GemmBackend backend);

  size_t scratch_bytes() const { return static_cast<size_t>(N_ * K_) * sizeof(float); }

  // Columns [col, col + panel.cols) of B, contiguous in scratch: (K, panel.cols).
  Matrix<float> panel(std::byte* scratch, int64_t col) const;

  // REQUIRES: every panel has been packed.
  void multiply(const float* A, float* C, std::byte* scratch, const PieceDone& done) const noexcept;

 private:
  struct Step {
    Piece piece;
    Gemm gemm;
  };

  int64_t N_, K_, lda_, ldc_;
  std::vector<Step> steps_;
};

// y = x W^T for one tile: x (M, K), W (N, K), y (M, N). A single row (M = 1) reads W in place.
// 2 M N K FLOPs; reads 4 (M K + N K) bytes, writes 4 M N. Thread-safe.
// docs/model.md#linear-layers
class LinearForward {
 public:
  // ldx, ldy: distance of rows of x and y.
  LinearForward(int64_t M, int64_t N, int64_t K, int64_t ldx, int64_t ldy,
                GemmBackend backend = GemmBackend::kAuto);
  size_t scratch_bytes() const { return single_row_ ? 0 : product_.scratch_bytes(); }
  void operator()(Matrix<const float> x, Matrix<const float> W, Matrix<float> y, std::byte* scratch,
                  const PieceDone& done = {}) const noexcept;
  // The same with weights in bf16. REQUIRES: M == 1.
  void operator()(Matrix<const float> x, Matrix<const BFloat16> W, Matrix<float> y,
                  std::byte* scratch, const PieceDone& done = {}) const noexcept;

 private:
  bool single_row_;
  PackedProduct product_;
};

// dx = dy W for one tile, or dx += dy W: dy (M, N), W (N, K), dx (M, K).
// 2 M N K FLOPs. Thread-safe.
// docs/model.md#linear-layers
class LinearBackwardInput {
 public:
  LinearBackwardInput(int64_t M, int64_t N, int64_t K, int64_t lddy, int64_t lddx, bool accumulate,
                      GemmBackend backend = GemmBackend::kAuto);
  size_t scratch_bytes() const { return product_.scratch_bytes(); }
  void operator()(Matrix<const float> dy, Matrix<const float> W, Matrix<float> dx,
                  std::byte* scratch, const PieceDone& done = {}) const noexcept;

 private:
  PackedProduct product_;
};

// dW = dy^T x for one block of N output and K input channels, or dW += dy^T x: dy (M, N), x (M, K),
// dW (N, K); and db (N) likewise as the column sums of dy, unless db is empty. The M rows are added
// in blocks of a fixed size, first to last: the bits depend on nothing else. 2 M N K FLOPs.
// Thread-safe.
// docs/model.md#linear-layers
class LinearBackwardWeight {
 public:
  LinearBackwardWeight(int64_t M, int64_t N, int64_t K, int64_t lddw, bool accumulate,
                       GemmBackend backend = GemmBackend::kAuto);
  size_t scratch_bytes() const;
  // `done` sees each piece of dW once, when its last rows have been added.
  void operator()(Matrix<const float> dy, Matrix<const float> x, Matrix<float> dW, Vector<float> db,
                  std::byte* scratch, const PieceDone& done = {}) const noexcept;

 private:
  // A product of one block of dy, transposed, with one panel of x.
  struct Step {
    int64_t row, rows;  // of the batch
    Piece dW;
    Gemm gemm;
  };

  bool accumulate_;
  std::vector<Step> steps_;
};

}  // namespace weft
