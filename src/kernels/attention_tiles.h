// The vector arithmetic of attention on one tile of scores, between its matrix products.
//
// A tile is transposed: keys down the rows, queries along the columns. So a reduction over keys
// runs down the rows, one query per vector lane, and nothing is ever summed across a vector. Scores
// are 64-byte aligned and contiguous, with columns a multiple of 16.
//
// On the diagonal, where keys and queries are the same tokens, query t sees keys 0..t. Such a tile
// is a staircase of steps of 16 tokens: keys 16 g .. 16 g + 15 have the columns from 16 g on, and
// the scores before them are neither read nor written.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bfloat16.h"
#include "base/view.h"

namespace weft {

inline constexpr int64_t kStep = 16;  // the widest vector, so that every step begins with a vector

// The tokens of a tile of queries and of a tile of keys, for sequences of T tokens: a multiple of
// kStep. Throws Error unless T and HS are positive.
int64_t attention_tile(int64_t T, int64_t HS);

// Part i of a matrix that is made of parts of n rows; the last part may have fewer.
template <typename T>
Matrix<T> part(Matrix<T> x, int64_t n, int64_t i) {
  return x.row_block(i * n, std::min(n, x.rows - i * n));
}

// The state of an online softmax between one tile of keys and the next, one element per query. Any
// reference score would do, as long as no exponential overflows. So it follows the maximum only
// when that has left it behind by kSlack, and older sums seldom have to be rescaled.
// docs/model.md#without-the-matrix
struct RunningSoftmax {
  static constexpr float kSlack = 8.f;  // exponentials stay below 2^kSlack

  Vector<float> reference;  // a score that was the maximum of some tile, before it is scaled
  Vector<float> sum;        // of exp(scale * (score - reference)) so far
  Vector<float> rescale;    // factor of older sums after a change of reference
};

// Scores become exp(scale * (score - reference)). Returns whether any query changed its reference:
// sums that the caller keeps are then to be multiplied by `rescale`, which is all ones otherwise.
//   scores (keys, queries).
// docs/model.md#without-the-matrix
bool softmax_tile(float scale, Matrix<float> scores, RunningSoftmax state) noexcept;

// Like softmax_tile, for the diagonal: it comes first and starts the state; later keys become 0.
void softmax_diagonal(float scale, Matrix<float> scores, RunningSoftmax state) noexcept;

// lse = scale * reference + log(sum), and sum becomes 1 / sum.
// docs/model.md#without-the-matrix
void finish_softmax(float scale, RunningSoftmax state, Vector<float> lse) noexcept;

// Scores become P = exp(scale * score - lse); dP becomes dS / scale = P * (dP - D).
//   scores, dP (keys, queries); lse, D (queries).
// docs/model.md#attention-backward
void softmax_backward_tile(float scale, Vector<const float> lse, Vector<const float> D,
                           Matrix<float> scores, Matrix<float> dP) noexcept;

// Like softmax_backward_tile, for the diagonal: P and dS of later keys become 0.
void softmax_backward_diagonal(float scale, Vector<const float> lse, Vector<const float> D,
                               Matrix<float> scores, Matrix<float> dP) noexcept;

// y = factor x, and y(r, c) = factors[r] x(r, c). Rows of any length, stride and alignment; y may
// be x.
void scale(float factor, Matrix<const float> x, Matrix<float> y) noexcept;
void scale_rows(Vector<const float> factors, Matrix<const float> x, Matrix<float> y) noexcept;

// y(r, c) = factors[c] x(r, c). y may be x.
void scale_columns(Vector<const float> factors, Matrix<const float> x, Matrix<float> y) noexcept;

// dots[r] = sum over c of a(r, c) b(r, c). Rows of any length, stride and alignment.
// docs/model.md#attention-backward
void row_dots(Matrix<const float> a, Matrix<const float> b, Vector<float> dots) noexcept;
void row_dots(Matrix<const BFloat16> a, Matrix<const BFloat16> b, Vector<float> dots) noexcept;

}  // namespace weft
