// Causal multi-head self-attention of one head, in flash form: tiles of queries against tiles of
// keys, softmax computed on the way (Dao et al., arXiv 2205.14135), no (T, T) matrix kept.
#pragma once

#include <cstddef>

#include "base/bfloat16.h"
#include "base/view.h"
#include "kernels/attention_products.h"
#include "kernels/gemm.h"

namespace weft {

class RowPrefetch;

// The kernels and the scratch memory of attention for sequences of T tokens and heads of HS, on
// operands in fp32 or bf16 (Element). Softmax, lse and D are fp32 in both; bf16 products sum in
// fp32, and probabilities are rounded to bf16 before they weigh the values.
// Immutable after construction; shared by every head, layer and thread.
// docs/model.md#attention
template <typename Element>
class Attention {
 public:
  // Throws Error unless T and HS are positive and this CPU has the products. The backend is that of
  // fp32 products.
  Attention(int64_t T, int64_t HS, GemmBackend backend = GemmBackend::kAuto);

  // Bytes of scratch (64-byte aligned) that one call needs.
  size_t forward_scratch_bytes() const;
  size_t backward_scratch_bytes() const;

  // For one sequence and one head: S = q k^T / sqrt(HS), masked so that token t sees tokens 0..t;
  // P = softmax(S); out = P v; lse[t] = log sum exp S(t, 0..t).
  //   q, k, v, out (T, HS), rows any stride; lse (T). 2 T^2 HS FLOPs with the masked half skipped.
  // docs/model.md#without-the-matrix
  void forward(Matrix<const Element> q, Matrix<const Element> k, Matrix<const Element> v,
               Matrix<Element> out, Vector<float> lse, std::byte* scratch) const noexcept;

  // Recomputes P = exp(S - lse) tile by tile; with D[t] = dout[t] . out[t]:
  //   dv = P^T dout,  dS = P * (dout v^T - D),  dq = dS k / sqrt(HS),  dk = dS^T q / sqrt(HS).
  // Overwrites dq, dk, dv (T, HS). 5 T^2 HS FLOPs with the masked half skipped.
  // docs/model.md#attention-backward
  void backward(Matrix<const Element> q, Matrix<const Element> k, Matrix<const Element> v,
                Matrix<const Element> out, Vector<const float> lse, Matrix<const Element> dout,
                Matrix<Element> dq, Matrix<Element> dk, Matrix<Element> dv,
                std::byte* scratch) const noexcept;

 private:
  using Products = AttentionProducts<Element>;
  using ForwardScratch = typename Products::ForwardScratch;
  using BackwardScratch = typename Products::BackwardScratch;

  void forward_tile(int64_t i, const ForwardScratch& s, RowPrefetch& ahead) const noexcept;
  void backward_tile(int64_t i, const BackwardScratch& s, RowPrefetch& ahead) const noexcept;

  AttentionShape shape_;
  Products products_;
};

extern template class Attention<float>;
extern template class Attention<BFloat16>;

// Decoding: n new queries at positions p0 .. p0 + n - 1 against a cache of keys and values.
//   q, out (n, HS); k, v (at least p0 + n rows, HS). scores: scratch for p0 + n floats.
// docs/model.md#one-token-at-a-time
void attention_cached(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v,
                      int64_t p0, Matrix<float> out, Vector<float> scores) noexcept;

}  // namespace weft
