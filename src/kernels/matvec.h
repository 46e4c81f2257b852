// Matrix-vector product: a linear layer for one token, bound by reading the weights once.
#pragma once

#include "base/bfloat16.h"
#include "base/view.h"

namespace weft {

// y = W x: W (N, K), x (K), y (N). Every dot product adds in an order fixed by K alone.
// 2 N K FLOPs; reads 4 N K bytes. Thread-safe.
// docs/model.md#one-token-at-a-time
void matvec(Matrix<const float> W, Vector<const float> x, Vector<float> y) noexcept;

// Like that, with weights in bf16 and all arithmetic in fp32: gives the bits that fp32 weights of
// the same values give. Reads 2 N K bytes.
void matvec(Matrix<const BFloat16> W, Vector<const float> x, Vector<float> y) noexcept;

}  // namespace weft
