// MLP: y = residual + fcproj(gelu(fc(x))).
#pragma once

#include <string>

#include "model/layers/layer.h"
#include "model/layers/linear.h"
#include "model/layers/step_matrices.h"

namespace weft {

inline constexpr Linear kFc = {"fc", Tensor::fcw, Tensor::fcb};
inline constexpr Linear kFcproj = {"fcproj", Tensor::fcprojw, Tensor::fcprojb};

struct MlpActivations {
  Operand fch;       // (n, 4C)  before GELU
  Operand fch_gelu;  // (n, 4C)  gelu(fch), which backward computes again where it needs it
};

struct MlpGradients {
  Operand dfch;  // (n, 4C)
};

// `at` begins the names of tiles: "block3/".
Operand allocate_fch(const StepMatrices& matrices, const std::string& at, int64_t C);
Operand allocate_fch_gelu(const StepMatrices& matrices, const std::string& at, int64_t C);
MlpGradients allocate_mlp_gradients(const StepMatrices& matrices, const std::string& at, int64_t C);

// y = residual + mlp(x): fc/forward, with GELU, and fcproj/forward.
void append_mlp_forward(const LayerOps& ops, const LayerParts& parts, const Operand& x,
                        const Tiled<float>& residual, const MlpActivations& a,
                        const Tiled<float>& y);

// Computes fch alone, from x: backward reads nothing else of the forward pass.
void append_mlp_again(const LayerOps& ops, const LayerParts& parts, const Operand& x,
                      const MlpActivations& a);

// dx and the gradients of both linear layers, from dy, the gradient of y; writes fch_gelu. The
// caller carries dy past the layer to the residual.
void append_mlp_backward(const LayerOps& ops, const BackwardParts& parts, const Operand& x,
                         const MlpActivations& a, const Operand& dy, const MlpGradients& d,
                         const Operand& dx);

}  // namespace weft
