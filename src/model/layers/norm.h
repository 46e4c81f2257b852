// Layernorm: y = (x - mean) rstd weight + bias, one row per token.
#pragma once

#include <string>

#include "model/layers/layer.h"
#include "model/layers/step_matrices.h"

namespace weft {

// One of the model's norms: its name in ops and its parameters.
struct Norm {
  const char* name;
  Tensor weight, bias;
};
inline constexpr Norm kLn1 = {"ln1", Tensor::ln1w, Tensor::ln1b};  // before attention
inline constexpr Norm kLn2 = {"ln2", Tensor::ln2w, Tensor::ln2b};  // before the MLP
inline constexpr Norm kLnf = {"lnf", Tensor::lnfw, Tensor::lnfb};  // before the classifier

struct NormActivations {
  Operand out;        // (n, C)
  Tiled<float> mean;  // (n, 1)
  Tiled<float> rstd;  // (n, 1)
};

struct NormGradients {
  Tiled<float> dout;                            // (n, C)  of the norm's result
  ResidualGradient dx;                          // (n, C)  of its input, the residual stream
  Tiled<float> dweight_partial, dbias_partial;  // (ops, C) sums over the rows of each op
};

// `at` begins the names of tiles: "block3/".
NormActivations allocate_norm(const StepMatrices& matrices, const std::string& at, const Norm& norm,
                              int64_t C);

// `dout` is given because the product that writes it decides how it is cut; dx is called `dx_name`.
NormGradients allocate_norm_gradients(const StepMatrices& matrices, const std::string& at,
                                      const Norm& norm, const Tiled<float>& dout,
                                      const std::string& dx_name);

// y = norm(x): `norm`/forward, one op per row tile.
void append_norm_forward(const LayerOps& ops, const LayerParts& parts, const Norm& norm,
                         const Tiled<float>& x, const NormActivations& y);

// dx = dresidual + the gradient through the norm: `norm`/backward, one op per row tile; and the
// gradients of its parameters: `norm`/dW. dresidual bypasses the norm; null if nothing does.
void append_norm_backward(const LayerOps& ops, const BackwardParts& parts, const Norm& norm,
                          const Tiled<float>& x, const NormActivations& y,
                          const Tiled<float>* dresidual, const NormGradients& d);

}  // namespace weft
