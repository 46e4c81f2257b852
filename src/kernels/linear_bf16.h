// The products of a linear layer on bf16 operands: kernels/linear.h with bf16 activations.
//
// Weights are fp32 and are rounded while they are packed, once per call; sums are fp32. A result
// that the caller keeps in fp32 is computed in place; one that it rounds comes piece by piece in
// scratch, where the caller takes it from.
#pragma once

#include <cstddef>
#include <vector>

#include "base/bfloat16.h"
#include "base/view.h"
#include "kernels/gemm_bf16.h"
#include "kernels/linear.h"

namespace weft {

// C (M, N) (+)= A (M, K) B (K, N), with all of B packed before; each strip of the rows of A meets
// every block of columns before the next strip is read.
class PackedProductBf16 {
 public:
  // ldc: distance of rows of C, or 0 where every piece of C is left in scratch. Throws Error if
  // this CPU has no bf16 products.
  PackedProductBf16(int64_t M, int64_t N, int64_t K, int64_t lda, int64_t ldc, bool accumulate);

  size_t scratch_bytes() const;
  Vector<BFloat16> packed(std::byte* scratch) const;  // where B goes, as kernels/pack_bf16.h says

  // C is ignored where pieces are left in scratch.
  void multiply(const BFloat16* A, float* C, std::byte* scratch,
                const PieceDone& done) const noexcept;

 private:
  struct Step {
    Piece piece;
    GemmBf16 gemm;
  };

  int64_t N_, K_, lda_, ldc_;
  std::vector<Step> steps_;
};

// y = x W^T for one tile: x (M, K) in bf16, W (N, K), y (M, N). 2 M N K FLOPs. Thread-safe.
// docs/model.md#precision
class LinearForwardBf16 {
 public:
  // ldx, ldy: distance of rows; ldy 0: pieces of y are seen by `done` alone.
  LinearForwardBf16(int64_t M, int64_t N, int64_t K, int64_t ldx, int64_t ldy)
      : product_(M, N, K, ldx, ldy, false) {}
  size_t scratch_bytes() const { return product_.scratch_bytes(); }
  void operator()(Matrix<const BFloat16> x, Matrix<const float> W, Matrix<float> y,
                  std::byte* scratch, const PieceDone& done = {}) const noexcept;

 private:
  PackedProductBf16 product_;
};

// dx = dy W for one tile, or dx += dy W: dy (M, N) in bf16, W (N, K), dx (M, K). 2 M N K FLOPs.
// Thread-safe.
// docs/model.md#precision
class LinearBackwardInputBf16 {
 public:
  // lddx 0: pieces of dx are seen by `done` alone. REQUIRES: then it does not accumulate.
  LinearBackwardInputBf16(int64_t M, int64_t N, int64_t K, int64_t lddy, int64_t lddx,
                          bool accumulate)
      : product_(M, K, N, lddy, lddx, accumulate) {}
  size_t scratch_bytes() const { return product_.scratch_bytes(); }
  void operator()(Matrix<const BFloat16> dy, Matrix<const float> W, Matrix<float> dx,
                  std::byte* scratch, const PieceDone& done = {}) const noexcept;

 private:
  PackedProductBf16 product_;
};

// dW (+)= dy^T x for one block of N output and K input channels: dy (M, N), x (M, K) in bf16,
// dW (N, K) in fp32; and db (N) (+)= the column sums of dy, unless db is empty. The M rows are
// added in blocks of a fixed size, first to last. 2 M N K FLOPs. Thread-safe.
// docs/model.md#precision
class LinearBackwardWeightBf16 {
 public:
  LinearBackwardWeightBf16(int64_t M, int64_t N, int64_t K, int64_t lddw, bool accumulate);
  size_t scratch_bytes() const;
  // `done` sees each piece of dW once, when its last rows have been added.
  void operator()(Matrix<const BFloat16> dy, Matrix<const BFloat16> x, Matrix<float> dW,
                  Vector<float> db, std::byte* scratch, const PieceDone& done = {}) const noexcept;

 private:
  // A product of one block of dy, transposed, with some columns of x.
  struct Step {
    int64_t row, rows;  // of the batch
    Piece dW;
    GemmBf16 gemm;
  };

  bool accumulate_;
  std::vector<Step> steps_;
};

}  // namespace weft
