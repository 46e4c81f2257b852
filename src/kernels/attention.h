// Causal multi-head self-attention of one head, in flash form: tiles of queries against tiles of
// keys, softmax computed on the way (Dao et al., arXiv 2205.14135), no (T, T) matrix kept.
#pragma once

#include <cstddef>
#include <vector>

#include "base/view.h"
#include "kernels/gemm.h"

namespace weft {

class RowPrefetch;

// The kernels and the scratch memory of attention for sequences of T tokens and heads of HS.
// Immutable after construction; shared by every head, layer and thread.
// docs/model.md#attention
class Attention {
 public:
  // Throws Error unless T and HS are positive and the backend serves this CPU.
  Attention(int64_t T, int64_t HS, GemmBackend backend = GemmBackend::kAuto);

  // Bytes of scratch (64-byte aligned) that one call needs.
  size_t forward_scratch_bytes() const;
  size_t backward_scratch_bytes() const;

  // For one sequence and one head: S = q k^T / sqrt(HS), masked so that token t sees tokens 0..t;
  // P = softmax(S); out = P v; lse[t] = log sum exp S(t, 0..t).
  //   q, k, v, out (T, HS), rows any stride; lse (T). 2 T^2 HS FLOPs with the masked half skipped.
  // docs/model.md#without-the-matrix
  void forward(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v,
               Matrix<float> out, Vector<float> lse, std::byte* scratch) const noexcept;

  // Recomputes P = exp(S - lse) tile by tile; with D[t] = dout[t] . out[t]:
  //   dv = P^T dout,  dS = P * (dout v^T - D),  dq = dS k / sqrt(HS),  dk = dS^T q / sqrt(HS).
  // Overwrites dq, dk, dv (T, HS). 5 T^2 HS FLOPs with the masked half skipped.
  // docs/model.md#attention-backward
  void backward(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v,
                Matrix<const float> out, Vector<const float> lse, Matrix<const float> dout,
                Matrix<float> dq, Matrix<float> dk, Matrix<float> dv,
                std::byte* scratch) const noexcept;

 private:
  struct ForwardScratch;
  struct BackwardScratch;

  // What a step of 16 tokens of the diagonal tile takes part in: its keys with the queries from it
  // on (`later`), or its queries with the keys up to it (`seen`).
  struct Step {
    Gemm scores;    // (16, later)  = (16, HS)    (HS, later)
    Gemm by_query;  // (16, HS)     = (16, seen)  (seen, HS)
    Gemm by_key;    // (16, HS)     = (16, later) (later, HS)
  };

  int64_t tiles() const;
  Step step(int64_t t, GemmBackend backend) const;

  // The products of one tile, see attention.cc. On the diagonal the sums overwrite: it comes first.
  void scores(bool diagonal, const float* keys, const float* queries, float* scores,
              RowPrefetch& ahead) const noexcept;
  void sum_keys(bool diagonal, const float* scores, const float* keys, float* queries,
                RowPrefetch& ahead) const noexcept;
  void sum_queries(bool diagonal, const float* scores, const float* queries, float* keys,
                   RowPrefetch& ahead) const noexcept;
  void forward_tile(int64_t i, const ForwardScratch& s, RowPrefetch& ahead) const noexcept;
  void backward_tile(int64_t i, const BackwardScratch& s, RowPrefetch& ahead) const noexcept;

  int64_t T_, HS_;
  int64_t tile_;   // tokens of a query tile and of a key tile
  float scale_;    // 1 / sqrt(HS)
  Gemm by_query_;  // (tile, HS) += (tile, tile) (tile, HS): sums over keys, one query per row
  Gemm by_key_;    // (tile, HS) += (tile, tile) (tile, HS): sums over queries, one key per row
  std::vector<Step> steps_;
};

// Decoding: n new queries at positions p0 .. p0 + n - 1 against a cache of keys and values.
//   q, out (n, HS); k, v (at least p0 + n rows, HS). scores: scratch for p0 + n floats.
// docs/model.md#one-token-at-a-time
void attention_cached(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v,
                      int64_t p0, Matrix<float> out, Vector<float> scores) noexcept;

}  // namespace weft
