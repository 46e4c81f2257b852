// Linear layer: y = x W^T + b, and its gradients dx = dy W, dW = dy^T x and db.
#pragma once

#include "model/epilogue.h"
#include "model/layers/layer.h"

namespace weft {

// One of a block's linear layers: its name in ops and its parameters, W (N, K) and b (N).
struct Linear {
  const char* name;
  Tensor weight, bias;
};

// The precision of a product is that of its left operand; its sums are fp32. Without an epilogue, a
// bf16 result is the sums rounded.

// y = x W^T, then the epilogue, which adds the bias: x (n, K), y (n, N). `linear`/forward, one op
// per tile of y.
void append_linear_forward(const LayerOps& ops, const LayerParts& parts, const Linear& linear,
                           const Operand& x, const Operand& y, const Epilogue& epilogue);

// y = sums + b
Epilogue bias_epilogue(const Tiled<float>& bias, const Operand& y);

// y += b + residual
Epilogue residual_epilogue(const Tiled<float>& bias, const Tiled<float>& residual,
                           const Tiled<float>& y);

// dx = dy W, then dx_epilogue: `linear`/dX, one op per tile of dx. Then dW and db: `linear`/dW, one
// op per tile of dW, over all n rows; no later dX waits for these.
// REQUIRES: dy and x are of one precision.
void append_linear_backward(const LayerOps& ops, const BackwardParts& parts, const Linear& linear,
                            const Operand& x, const Operand& dy, const Operand& dx,
                            const Epilogue& dx_epilogue = {});

}  // namespace weft
