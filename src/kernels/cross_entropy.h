// Softmax and cross-entropy, fused, over the true vocabulary of padded logits.
#pragma once

#include "base/bfloat16.h"
#include "base/view.h"

namespace weft {

// A (rows, cols) matrix stored as column blocks, each of them a contiguous row-major
// (rows, block_cols) matrix: element (r, c) is data[(c / block_cols) * rows * block_cols +
// r * block_cols + c % block_cols]. A matrix product writes one block; softmax walks a row over
// all. The last block may be narrower: it is stored as (rows, cols % block_cols).
// docs/model.md#classifier
struct ColumnBlocks {
  float* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t block_cols = 0;

  int64_t blocks() const { return (cols + block_cols - 1) / block_cols; }
  Matrix<float> block(int64_t j) const {
    const int64_t first = j * block_cols;
    const int64_t width = cols - first < block_cols ? cols - first : block_cols;
    return {data + first * rows, rows, width};
  }
};

// For each row r in [row, row + n): losses[r - row] = -log softmax(logits(r, 0..V))[target].
// Leaves the logits as they are.
//   logits (rows, Vp), V <= Vp; targets, losses (n). REQUIRES: 0 <= target < V.
// A row with a NaN or an Inf gives a NaN loss: never hidden, never a wrong finite number.
// docs/model.md#cross-entropy
void cross_entropy_forward(ColumnBlocks logits, int64_t row, int64_t V,
                           Vector<const int32_t> targets, Vector<float> losses) noexcept;

// Like cross_entropy_forward, and turns the logits into the gradient of scale * sum(losses):
// scale * (softmax - onehot(target)) in columns [0, V), exactly 0 in the padding [V, Vp).
// docs/model.md#cross-entropy
void cross_entropy_forward_backward(ColumnBlocks logits, int64_t row, int64_t V,
                                    Vector<const int32_t> targets, float scale,
                                    Vector<float> losses) noexcept;

// A bf16 matrix in the memory of an fp32 one: the first half of each row.
inline Matrix<BFloat16> bf16_in_place(Matrix<float> x) {
  return {reinterpret_cast<BFloat16*>(x.data), x.rows, x.cols, 2 * x.stride};
}

// Like that, with gradients rounded to bf16, block by block where bf16_in_place says.
// docs/model.md#precision
void cross_entropy_forward_backward_bf16(ColumnBlocks logits, int64_t row, int64_t V,
                                         Vector<const int32_t> targets, float scale,
                                         Vector<float> losses) noexcept;

}  // namespace weft
