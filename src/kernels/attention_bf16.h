// Causal self-attention of one head on bf16 operands: kernels/attention.h with bf16 products.
#pragma once

#include <cstddef>

#include "base/bfloat16.h"
#include "base/view.h"
#include "kernels/gemm_bf16.h"

namespace weft {

// As Attention, with q, k, v, out and their gradients in bf16. Products take bf16 and sum in fp32;
// the softmax, lse and D are fp32. Probabilities are rounded to bf16 before they weigh the values.
// Immutable after construction; shared by every head, layer and thread.
// docs/model.md#precision
class AttentionBf16 {
 public:
  // Throws Error unless T and HS are positive and this CPU has bf16 products.
  AttentionBf16(int64_t T, int64_t HS);

  // Bytes of scratch (64-byte aligned) that one call needs.
  size_t forward_scratch_bytes() const;
  size_t backward_scratch_bytes() const;

  // q, k, v, out (T, HS), rows any stride; lse (T).
  void forward(Matrix<const BFloat16> q, Matrix<const BFloat16> k, Matrix<const BFloat16> v,
               Matrix<BFloat16> out, Vector<float> lse, std::byte* scratch) const noexcept;

  // Overwrites dq, dk, dv (T, HS).
  void backward(Matrix<const BFloat16> q, Matrix<const BFloat16> k, Matrix<const BFloat16> v,
                Matrix<const BFloat16> out, Vector<const float> lse, Matrix<const BFloat16> dout,
                Matrix<BFloat16> dq, Matrix<BFloat16> dk, Matrix<BFloat16> dv,
                std::byte* scratch) const noexcept;

 private:
  struct ForwardScratch;
  struct BackwardScratch;

  int64_t tiles() const;
  void forward_tile(int64_t i, const ForwardScratch& s) const noexcept;
  void backward_tile(int64_t i, const BackwardScratch& s) const noexcept;

  // A product that overwrites, for the diagonal, which comes first, and one that adds.
  struct Sum {
    GemmBf16 first, next;

    const GemmBf16& on(bool diagonal) const { return diagonal ? first : next; }
  };
  static Sum sum(int64_t M, int64_t N, int64_t K);

  int64_t T_, HS_;
  int64_t tile_;     // tokens of a query tile and of a key tile
  float scale_;      // 1 / sqrt(HS)
  GemmBf16 scores_;  // (tile, tile) = (tile, HS) (HS, tile): keys by queries
  Sum by_query_;     // (HS, tile) += (HS, tile) (tile, tile): sums over keys, a query per column
  Sum by_key_;       // (tile, HS) += (tile, tile) (tile, HS): sums over queries, a key per row
};

}  // namespace weft
