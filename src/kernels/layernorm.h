// Layer normalization (Ba, Kiros, Hinton, arXiv 1607.06450) over the channels of each token.
#pragma once

#include "base/bfloat16.h"
#include "base/view.h"

namespace weft {

inline constexpr float kLayernormEps = 1e-5f;

// out = (x - mean) * rstd * weight + bias, with rstd = 1 / sqrt(variance + 1e-5), per row.
//   x, out (n, C); weight, bias (C); mean, rstd (n). out may not overlap x.
// docs/model.md#layernorm
void layernorm_forward(Matrix<const float> x, Vector<const float> weight, Vector<const float> bias,
                       Matrix<float> out, Vector<float> mean, Vector<float> rstd) noexcept;

// Like the fp32 form, but rounds `out` to nearest even.
void layernorm_forward(Matrix<const float> x, Vector<const float> weight, Vector<const float> bias,
                       Matrix<BFloat16> out, Vector<float> mean, Vector<float> rstd) noexcept;

// Adds the gradient of the input to dx (the residual stream already holds a gradient), and
// overwrites dweight and dbias with the sums over these n rows, in row order.
// With xhat = (x - mean) rstd and g = dout * weight, per row:
//   dx += rstd * (g - mean(g) - xhat * mean(g * xhat)),  dweight = sum dout * xhat,  dbias = sum
//   dout. x, dout, dx (n, C); weight, dweight, dbias (C); mean, rstd (n).
// docs/model.md#layernorm
void layernorm_backward(Matrix<const float> x, Vector<const float> weight, Vector<const float> mean,
                        Vector<const float> rstd, Matrix<const float> dout, Matrix<float> dx,
                        Vector<float> dweight, Vector<float> dbias) noexcept;

}  // namespace weft
