// Attention: y = residual + attproj(heads(qkv(x))), where each head weighs the values of a token
// and of those before it (the causal mask) by softmax(q k^T / sqrt(HS)).
#pragma once

#include <functional>
#include <string>

#include "model/layers/layer.h"
#include "model/layers/linear.h"
#include "model/layers/step_matrices.h"

namespace weft {

inline constexpr Linear kQkv = {"qkv", Tensor::qkvw, Tensor::qkvb};
inline constexpr Linear kAttproj = {"attproj", Tensor::attprojw, Tensor::attprojb};

struct AttentionActivations {
  Operand qkv;       // (n, 3C)    queries, keys, values side by side
  Operand atty;      // (n, C)     results of the heads side by side
  Tiled<float> lse;  // (B, NH T)  log-sum-exp of every row of softmax
};

struct AttentionGradients {
  Operand datty;  // (n, C)
  Operand dqkv;   // (n, 3C)
};

// `at` begins the names of tiles: "block3/".
AttentionActivations allocate_attention(const StepMatrices& matrices, const std::string& at,
                                        const Config& config);
AttentionGradients allocate_attention_gradients(const StepMatrices& matrices, const std::string& at,
                                                const Config& config);

// Appends the ops that turn a layer's qkv into its atty.
using AppendHeads = std::function<void(Program& program, int64_t layer)>;

// y = residual + attention(x): qkv/forward, attention/forward (one op per sequence and group of
// heads, or instead of them the ops of `heads`) and attproj/forward.
void append_attention_forward(const LayerOps& ops, const LayerParts& parts, const Operand& x,
                              const Tiled<float>& residual, const AttentionActivations& a,
                              const Tiled<float>& y, const AppendHeads& heads = {});

// dx and the gradients of both linear layers, from dy, the gradient of y. The caller carries dy
// past the layer to the residual.
void append_attention_backward(const LayerOps& ops, const BackwardParts& parts, const Operand& x,
                               const AttentionActivations& a, const Operand& dy,
                               const AttentionGradients& d, const Operand& dx);

}  // namespace weft
