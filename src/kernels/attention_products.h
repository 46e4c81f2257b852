// AttentionProducts: the part of attention that differs between fp32 and bf16. It packs operands of
// a tile, multiplies them, and keeps sums in the layout that its matrix kernels want.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "base/bfloat16.h"
#include "base/math.h"
#include "base/view.h"
#include "kernels/attention_tiles.h"
#include "kernels/gemm.h"
#include "kernels/gemm_bf16.h"
#include "kernels/scratch_cutter.h"

namespace weft {

class RowPrefetch;

struct AttentionShape {
  // Throws Error unless both are positive.
  AttentionShape(int64_t T, int64_t HS)
      : T(T), HS(HS), tile(attention_tile(T, HS)), scale(1.f / std::sqrt(static_cast<float>(HS))) {}

  int64_t tiles() const { return ceil_div(T, tile); }

  int64_t T, HS;
  int64_t tile;  // tokens of a query tile and of a key tile
  float scale;   // 1 / sqrt(HS)
};

// Scores are kept transposed, keys x queries (attention_tiles.h says why). Both forms have these
// functions, where i is a tile of queries, j a tile of keys and the diagonal i = j comes first:
//
//   pack(q, k, v, i, forward)        keeps k and v of tile i, and readies q
//   scores(diagonal, j, forward)     sT = k q^T
//   rescale(forward)                 out *= softmax.rescale
//   add_values(diagonal, j, forward)     out (+)= P v, from sT = P^T
//   store(forward, out)              out / softmax.sum
//
//   pack(q, k, v, dout, i, backward)     returns dout, with zero rows after the last token
//   scores(diagonal, j, backward)    sT = k q^T, dpT = v dout^T
//   add_gradients(diagonal, j, backward) dv (+)= P^T dout, dk (+)= dS^T q, dq (+)= dS k, from
//                                    sT = P^T and dpT = dS^T
//   store_dq, store_dk_dv            the sums, times 1 / sqrt(HS) where they lack it
// docs/model.md#precision
template <typename Element>
class AttentionProducts;

// A product reads scores by rows or by columns; all else lies as a product wants it. On the
// diagonal, products leave out the scores that the mask hides.
//   S^T  = k q^T        out += P v         dv += P^T dout
//   dP^T = v dout^T     dq  += dS k        dk += dS^T q
template <>
class AttentionProducts<float> {
 public:
  // Whether a caller fetches the rows of the next tile while this one is at work.
  static constexpr bool kPrefetches = true;

  // k and v of all tokens, tile after tile; the rest is of one tile of queries.
  struct ForwardScratch {
    ForwardScratch(const AttentionShape& a, std::byte* memory);

    ScratchCutter cutter;
    Matrix<float> k, v, qT, out, sT;
    Vector<float> lse;
    RunningSoftmax softmax;
  };

  // k, v, dk and dv of all tokens, tile after tile; the rest is of one tile of queries.
  struct BackwardScratch {
    BackwardScratch(const AttentionShape& a, std::byte* memory);

    ScratchCutter cutter;
    Matrix<float> k, v, dk, dv, q, qT, dout, doutT, dq, sT, dpT;
    Vector<float> lse, D;
  };

  AttentionProducts(const AttentionShape& shape, GemmBackend backend);

  // Key tiles that query tile i meets: i, then the earlier ones, first to last.
  static int64_t nth_key_tile(int64_t i, int64_t n) { return n == 0 ? i : n - 1; }

  void pack(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v, int64_t i,
            const ForwardScratch& s) const noexcept;
  void scores(bool diagonal, int64_t j, const ForwardScratch& s, RowPrefetch& ahead) const noexcept;
  void rescale(const ForwardScratch& s) const noexcept;
  void add_values(bool diagonal, int64_t j, const ForwardScratch& s,
                  RowPrefetch& ahead) const noexcept;
  void store(const ForwardScratch& s, Matrix<float> out) const noexcept;

  Matrix<float> pack(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v,
                     Matrix<const float> dout, int64_t i, const BackwardScratch& s) const noexcept;
  void scores(bool diagonal, int64_t j, const BackwardScratch& s,
              RowPrefetch& ahead) const noexcept;
  void add_gradients(bool diagonal, int64_t j, const BackwardScratch& s,
                     RowPrefetch& ahead) const noexcept;
  void store_dq(const BackwardScratch& s, Matrix<float> dq) const noexcept;
  void store_dk_dv(const BackwardScratch& s, Matrix<float> dk, Matrix<float> dv) const noexcept;

 private:
  // The products of a step of 16 tokens of the diagonal tile: of its keys with the queries from it
  // on (`later`), or of its queries with the keys up to it (`seen`).
  struct Step {
    Gemm scores;    // (16, later)  = (16, HS)    (HS, later)
    Gemm by_query;  // (16, HS)     = (16, seen)  (seen, HS)
    Gemm by_key;    // (16, HS)     = (16, later) (later, HS)
  };
  Step step(int64_t t, GemmBackend backend) const;

  // The products of one tile. On the diagonal the sums overwrite: it comes first.
  void multiply_scores(bool diagonal, const float* keys, const float* queries, float* scores,
                       RowPrefetch& ahead) const noexcept;
  void sum_keys(bool diagonal, const float* scores, const float* keys, float* queries,
                RowPrefetch& ahead) const noexcept;
  void sum_queries(bool diagonal, const float* scores, const float* queries, float* keys,
                   RowPrefetch& ahead) const noexcept;

  AttentionShape shape_;
  Gemm by_query_;  // (tile, HS) += (tile, tile) (tile, HS): sums over keys, one query per row
  Gemm by_key_;    // (tile, HS) += (tile, tile) (tile, HS): sums over queries, one key per row
  std::vector<Step> steps_;
};

// A product reads its left operand by rows and its right one packed in pairs of rows, and packing
// rows that lie in order is cheap. So sums over keys are transposed: then the scores are their
// right operand.
//   S^T  = k q^T        out^T += v^T P^T       dv += P^T dout
//   dP^T = v dout^T     dq^T  += k^T dS^T      dk += dS^T q
template <>
class AttentionProducts<BFloat16> {
 public:
  static constexpr bool kPrefetches = false;

  // k and v^T of all tokens, tile after tile; the rest is of one tile of queries.
  struct ForwardScratch {
    ForwardScratch(const AttentionShape& a, std::byte* memory);

    ScratchCutter cutter;
    Matrix<BFloat16> k, vT, rows;
    Vector<BFloat16> qT, pT;  // packed
    Matrix<float> sT, outT, out;
    Vector<float> lse;
    RunningSoftmax softmax;
  };

  // k, k^T, v, dk and dv of all tokens, tile after tile; the rest is of one tile of queries.
  struct BackwardScratch {
    BackwardScratch(const AttentionShape& a, std::byte* memory);

    ScratchCutter cutter;
    Matrix<BFloat16> k, kT, v;
    Matrix<float> dk, dv;
    Matrix<BFloat16> rows;
    Vector<BFloat16> q, qT, dout, doutT, packed_dsT;  // packed
    Matrix<BFloat16> pT, dsT;
    Matrix<float> sT, dpT, dqT, dq;
    Vector<float> lse, D;
  };

  // Throws Error if this CPU has no bf16 products.
  AttentionProducts(const AttentionShape& shape, GemmBackend);

  // Key tiles that query tile i meets: from i down to the first.
  static int64_t nth_key_tile(int64_t i, int64_t n) { return i - n; }

  void pack(Matrix<const BFloat16> q, Matrix<const BFloat16> k, Matrix<const BFloat16> v, int64_t i,
            const ForwardScratch& s) const noexcept;
  void scores(bool diagonal, int64_t j, const ForwardScratch& s, RowPrefetch&) const noexcept;
  void rescale(const ForwardScratch& s) const noexcept;
  void add_values(bool diagonal, int64_t j, const ForwardScratch& s, RowPrefetch&) const noexcept;
  void store(const ForwardScratch& s, Matrix<BFloat16> out) const noexcept;

  Matrix<BFloat16> pack(Matrix<const BFloat16> q, Matrix<const BFloat16> k,
                        Matrix<const BFloat16> v, Matrix<const BFloat16> dout, int64_t i,
                        const BackwardScratch& s) const noexcept;
  void scores(bool diagonal, int64_t j, const BackwardScratch& s, RowPrefetch&) const noexcept;
  void add_gradients(bool diagonal, int64_t j, const BackwardScratch& s,
                     RowPrefetch&) const noexcept;
  void store_dq(const BackwardScratch& s, Matrix<BFloat16> dq) const noexcept;
  void store_dk_dv(const BackwardScratch& s, Matrix<BFloat16> dk,
                   Matrix<BFloat16> dv) const noexcept;

 private:
  // A product that overwrites, for the diagonal, and one that adds.
  struct Sum {
    GemmBf16 first, next;

    const GemmBf16& on(bool diagonal) const { return diagonal ? first : next; }
  };
  static Sum sum(int64_t M, int64_t N, int64_t K);

  AttentionShape shape_;
  GemmBf16 scores_;  // (tile, tile) = (tile, HS) (HS, tile): keys by queries
  Sum by_query_;     // (HS, tile) += (HS, tile) (tile, tile): sums over keys, a query per column
  Sum by_key_;       // (tile, HS) += (tile, tile) (tile, HS): sums over queries, a key per row
};

}  // namespace weft
