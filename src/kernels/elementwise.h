// The element-wise pieces around matrix products: bias, residual, GELU and its
// derivative, column sums.
//
// In fp32 they work in place. Their bf16 forms take a product's sums in fp32 and round the result
// to nearest even; all arithmetic is in fp32.
#pragma once

#include "base/bfloat16.h"
#include "base/view.h"

namespace weft {

// y += bias for every row. y (n, N); bias (N).
// docs/model.md#linear-layers
void add_bias(Vector<const float> bias, Matrix<float> y) noexcept;

// y = x + bias.
void add_bias(Vector<const float> bias, Matrix<const float> x, Matrix<BFloat16> y) noexcept;

// y += bias + residual. y, residual (n, N); bias (N).
// docs/model.md#residuals
void add_bias_residual(Vector<const float> bias, Matrix<const float> residual,
                       Matrix<float> y) noexcept;

// x += bias, then out = gelu(x), where gelu is GPT-2's tanh form (Hendrycks, Gimpel, arXiv
// 1606.08415): 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
//   x, out (n, N); bias (N). Finite for every finite x, however large, and within 4 * 2^-24 of
//   |gelu(x)| for x >= -1; below, where |gelu| is at most 0.17, within 2^-24.
// docs/model.md#gelu
void add_bias_gelu(Vector<const float> bias, Matrix<float> x, Matrix<float> out) noexcept;

// y = x + bias, rounded, then out = gelu of the rounded y, because backward sees that one.
void add_bias_gelu(Vector<const float> bias, Matrix<const float> x, Matrix<BFloat16> y,
                   Matrix<BFloat16> out) noexcept;

// dx *= gelu'(x), in place: dx comes in as the gradient of gelu's output and leaves as that of its
// input. On the way, y = gelu(x) once more, for the weight gradient of the layer that follows: so
// forward need not keep it. x, dx, y (n, N). gelu' is finite for every finite x, and within 2^-22;
// y is as accurate as forward's, but not of the same bits.
// docs/model.md#gelu
void gelu_backward(Matrix<const float> x, Matrix<float> dx, Matrix<float> y) noexcept;

// dx = dout * gelu'(x), y = gelu(x).
void gelu_backward(Matrix<const BFloat16> x, Matrix<const float> dout, Matrix<BFloat16> dx,
                   Matrix<BFloat16> y) noexcept;

// sums[c] += sum over rows of x(r, c), rows added in order to a sum that starts from zero.
// x (n, N); sums (N). Adds up the partial gradients that the ops of a layernorm leave, a row each.
// docs/model.md#layernorm
void add_column_sums(Matrix<const float> x, Vector<float> sums) noexcept;

// sum += addend. Same shapes. Accumulates gradients and sums partial buffers.
void add(Vector<const float> addend, Vector<float> sum) noexcept;

void fill_zero(Matrix<float> x) noexcept;

// sums[r] += sum over c of x(r, c), each row in an order fixed by its length alone.
//   x (n, M); sums (n).
// docs/model.md#linear-layers
void add_row_sums(Matrix<const float> x, Vector<float> sums) noexcept;
void add_row_sums(Matrix<const BFloat16> x, Vector<float> sums) noexcept;

}  // namespace weft
