// AdamW (Loshchilov, Hutter, arXiv 1711.05101) and the global gradient norm.
#pragma once

#include "base/view.h"

namespace weft {

// In double, as PyTorch's Python numbers: 1 - 0.999f misses 0.001 by more than 1e-5 of it.
struct AdamWStep {
  double lr = 0;
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0;      // 0 for tensors that do not decay
  double bias_correction1 = 1;  // 1 - beta1^t, t counted from 1
  double bias_correction2 = 1;  // 1 - beta2^t
  double grad_scale = 1;        // global-norm clipping: min(1, max_norm / norm)
};

// With g = grad_scale * grad, in PyTorch's order of operations, but for a product with
// 1 / sqrt(bc2) where PyTorch divides:
//   p *= 1 - lr * wd;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
//   p -= (lr / bc1) * m / (sqrt(v) / sqrt(bc2) + eps).
// All (n), any alignment. Moves 28 bytes per parameter.
// docs/model.md#adamw
void adamw_update(const AdamWStep& step, Vector<const float> grad, Vector<float> param,
                  Vector<float> m, Vector<float> v) noexcept;

// Sum of x[i]^2, accumulated in double in an order fixed by the length alone.
// docs/model.md#gradient-norm
double sum_of_squares(Vector<const float> x) noexcept;

}  // namespace weft
