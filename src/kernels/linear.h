// Linear layer: y = x W^T + b forward and its two gradients, on row tiles and blocks of channels.
// Each product packs the panel of its operand that would be read with a long stride into scratch,
// where it serves a whole tile.
#pragma once

#include <cstddef>
#include <vector>

#include "base/view.h"
#include "kernels/gemm.h"

namespace weft {

// One step of a product that is cut into panels: rows [k, k + n_k) of the inner dimension against
// columns [n, n + n_n) of the result.
struct GemmPanel {
  int64_t k, n_k;
  int64_t n, n_n;
  Gemm gemm;
};

// y = x W^T for one tile: x (M, K), W (N, K), y (M, N). A single row (M = 1) reads W in place.
// 2 M N K FLOPs; reads 4 (M K + N K) bytes, writes 4 M N. Thread-safe.
class LinearForward {
 public:
  // ldx, ldy: distance of rows of x and y.
  LinearForward(int64_t M, int64_t N, int64_t K, int64_t ldx, int64_t ldy,
                GemmBackend backend = GemmBackend::kAuto);
  size_t scratch_bytes() const;
  void operator()(Matrix<const float> x, Matrix<const float> W, Matrix<float> y,
                  std::byte* scratch) const noexcept;

 private:
  std::vector<GemmPanel> panels_;
};

// dx = dy W for one tile, or dx += dy W: dy (M, N), W (N, K), dx (M, K).
// 2 M N K FLOPs. Thread-safe.
class LinearBackwardInput {
 public:
  LinearBackwardInput(int64_t M, int64_t N, int64_t K, int64_t lddy, int64_t lddx, bool accumulate,
                      GemmBackend backend = GemmBackend::kAuto);
  size_t scratch_bytes() const;
  void operator()(Matrix<const float> dy, Matrix<const float> W, Matrix<float> dx,
                  std::byte* scratch) const noexcept;

 private:
  std::vector<GemmPanel> panels_;
};

// dW += dy^T x for one block of N output and K input channels: dy (M, N), x (M, K), dW (N, K). The
// M rows are added in blocks of a fixed size, first to last: the bits depend on nothing else. 2 M N
// K FLOPs. Thread-safe.
class LinearBackwardWeight {
 public:
  LinearBackwardWeight(int64_t M, int64_t N, int64_t K, int64_t ldx, int64_t lddw,
                       GemmBackend backend = GemmBackend::kAuto);
  size_t scratch_bytes() const;
  void operator()(Matrix<const float> dy, Matrix<const float> x, Matrix<float> dW,
                  std::byte* scratch) const noexcept;

 private:
  bool pack_x_;
  std::vector<GemmPanel> panels_;
};

}  // namespace weft
