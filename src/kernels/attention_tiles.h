// The vector arithmetic of attention on one tile of scores, between its matrix products.
//
// A tile is transposed: keys down the rows, queries along the columns. So a reduction over keys
// runs down the rows, one query per vector lane, and nothing is ever summed across a vector. Every
// matrix here is 64-byte aligned and contiguous, with columns a multiple of 16.
#pragma once

#include "base/view.h"

namespace weft {

// What an online softmax carries from one tile of keys to the next, one element per query.
struct RunningSoftmax {
  Vector<float> max;      // of the scores so far, before they are scaled
  Vector<float> sum;      // of exp(scale * (score - max)) so far
  Vector<float> rescale;  // what the last tile made of older sums: exp(scale * (old max - max))
};

void start_softmax(RunningSoftmax state) noexcept;

// Scores become exp(scale * (score - max)), with the maximum over this tile and those before it.
//   scores (keys, queries). On the diagonal (keys and queries are the same tokens) query t sees
//   keys 0..t, and the scores of later keys become 0.
void softmax_tile(float scale, bool diagonal, Matrix<float> scores, RunningSoftmax state) noexcept;

// lse = scale * max + log(sum), and sum becomes 1 / sum.
void finish_softmax(float scale, RunningSoftmax state, Vector<float> lse) noexcept;

// Scores become P = exp(scale * score - lse); dP becomes dS = scale * P * (dP - D).
//   scores, dP (keys, queries); lse, D (queries). Diagonal as above.
void softmax_backward_tile(float scale, bool diagonal, Vector<const float> lse,
                           Vector<const float> D, Matrix<float> scores, Matrix<float> dP) noexcept;

// x(r, c) *= factors[c].
void scale_columns(Vector<const float> factors, Matrix<float> x) noexcept;

// dots[c] = sum over r of a(r, c) b(r, c).
void column_dots(Matrix<const float> a, Matrix<const float> b, Vector<float> dots) noexcept;

}  // namespace weft
