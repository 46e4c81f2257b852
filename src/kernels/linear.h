// Linear layer: y = x W^T + b forward and its two gradients, on row tiles and blocks of channels,
// for activations in fp32 or bf16. Weights and sums are fp32 in both: bf16 products round the
// weights while they pack them.
//
// Each product packs the operand that would be read with a long stride into scratch, once per call,
// and keeps its sums in registers over the whole inner dimension.
#pragma once

#include <cstddef>
#include <functional>
#include <type_traits>
#include <vector>

#include "base/bfloat16.h"
#include "base/view.h"
#include "kernels/product.h"

namespace weft {

// A piece of a product's result: rows [row, row + rows), columns [col, col + cols).
struct Piece {
  int64_t row, rows;
  int64_t col, cols;
};

// Called with each piece of a result right after it is computed, while it is in cache. `values` is
// the piece. May be empty; must not throw.
using PieceDone = std::function<void(const Piece&, Matrix<float> values)>;

// C (M, N) (+)= A (M, K) B (K, N): all of B is packed, then each strip of the rows of A meets every
// block of columns before the next strip is read.
// docs/model.md#linear-layers
template <typename T>
class PackedProduct {
 public:
  // ldc: distance of rows of C, or 0 where the caller takes every piece of C from scratch, which
  // bf16 alone can. Throws Error if this CPU has no products of T.
  PackedProduct(int64_t M, int64_t N, int64_t K, int64_t lda, int64_t ldc, bool accumulate,
                GemmBackend backend);

  // B packed, and a piece of C where it stays in scratch.
  size_t scratch_bytes() const;
  // Where B is to be packed, as Product<T> lays it out.
  T* packed(std::byte* scratch) const { return reinterpret_cast<T*>(scratch); }

  // REQUIRES: B has been packed. C is ignored where pieces stay in scratch.
  void multiply(const T* A, float* C, std::byte* scratch, const PieceDone& done) const noexcept;

 private:
  struct Step {
    Piece piece;
    typename Product<T>::Kernel gemm;
  };

  int64_t N_, K_, lda_, ldc_;
  std::vector<Step> steps_;
};

// y = x W^T for one tile: x (M, K), W (N, K), y (M, N). A single fp32 row reads W in place.
// 2 M N K FLOPs. Thread-safe.
// docs/model.md#linear-layers
template <typename T>
class LinearForward {
 public:
  // ldx, ldy: distance of rows of x and y; ldy = 0: `done` alone sees the pieces of y (bf16).
  // The backend is that of fp32 products.
  LinearForward(int64_t M, int64_t N, int64_t K, int64_t ldx, int64_t ldy,
                GemmBackend backend = GemmBackend::kAuto);
  size_t scratch_bytes() const { return reads_in_place_ ? 0 : product_.scratch_bytes(); }
  void operator()(Matrix<const T> x, Matrix<const float> W, Matrix<float> y, std::byte* scratch,
                  const PieceDone& done = {}) const noexcept;
  // With weights in bf16. REQUIRES: M == 1.
  void operator()(Matrix<const float> x, Matrix<const BFloat16> W, Matrix<float> y,
                  std::byte* scratch, const PieceDone& done = {}) const noexcept
      requires(std::is_same_v<T, float>);

 private:
  bool reads_in_place_;
  PackedProduct<T> product_;
};

// dx = dy W for one tile, or dx += dy W: dy (M, N), W (N, K), dx (M, K).
// 2 M N K FLOPs. Thread-safe.
// docs/model.md#linear-layers
template <typename T>
class LinearBackwardInput {
 public:
  // lddx = 0: `done` alone sees the pieces of dx (bf16). REQUIRES: then it does not accumulate.
  LinearBackwardInput(int64_t M, int64_t N, int64_t K, int64_t lddy, int64_t lddx, bool accumulate,
                      GemmBackend backend = GemmBackend::kAuto);
  size_t scratch_bytes() const { return product_.scratch_bytes(); }
  void operator()(Matrix<const T> dy, Matrix<const float> W, Matrix<float> dx, std::byte* scratch,
                  const PieceDone& done = {}) const noexcept;

 private:
  PackedProduct<T> product_;
};

// dW = dy^T x for one block of N output and K input channels, or dW += dy^T x: dy (M, N), x (M, K),
// dW (N, K); and db (N) likewise as the column sums of dy, unless db is empty. The M rows are added
// in blocks of a fixed size, first to last: the bits depend on nothing else. 2 M N K FLOPs.
// Thread-safe.
// docs/model.md#linear-layers
template <typename T>
class LinearBackwardWeight {
 public:
  LinearBackwardWeight(int64_t M, int64_t N, int64_t K, int64_t lddw, bool accumulate,
                       GemmBackend backend = GemmBackend::kAuto);
  size_t scratch_bytes() const;
  // `done` sees each piece of dW once, when its last rows have been added.
  void operator()(Matrix<const T> dy, Matrix<const T> x, Matrix<float> dW, Vector<float> db,
                  std::byte* scratch, const PieceDone& done = {}) const noexcept;

 private:
  // A product of one block of dy, transposed, with some columns of x.
  struct Step {
    int64_t row, rows;  // of the batch
    Piece dW;
    typename Product<T>::Kernel gemm;
  };

  bool accumulate_;
  std::vector<Step> steps_;
};

extern template class PackedProduct<float>;
extern template class PackedProduct<BFloat16>;
extern template class LinearForward<float>;
extern template class LinearForward<BFloat16>;
extern template class LinearBackwardInput<float>;
extern template class LinearBackwardInput<BFloat16>;
extern template class LinearBackwardWeight<float>;
extern template class LinearBackwardWeight<BFloat16>;

}  // namespace weft
