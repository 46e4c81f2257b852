#include "model/layers/mlp.h"

#include "kernels/elementwise.h"

namespace weft {
namespace {

// An fp32 result is already in its place, a bf16 result is made from the product's sums.
void store_with_bias_gelu(Vector<const float> bias, Matrix<float>, Matrix<float> y,
                          Matrix<float> y_gelu) {
  add_bias_gelu(bias, y, y_gelu);
}
void store_with_bias_gelu(Vector<const float> bias, Matrix<float> sums, Matrix<BFloat16> y,
                          Matrix<BFloat16> y_gelu) {
  add_bias_gelu(bias, sums, y, y_gelu);
}
void store_gelu_backward(Matrix<float> x, Matrix<float>, Matrix<float> dx, Matrix<float> y) {
  gelu_backward(x, dx, y);
}
void store_gelu_backward(Matrix<BFloat16> x, Matrix<float> sums, Matrix<BFloat16> dx,
                         Matrix<BFloat16> y) {
  gelu_backward(x, sums, dx, y);
}

// y = sums + b, y_gelu = gelu(y)
// docs/model.md#gelu
Epilogue gelu_epilogue(const Tiled<float>& bias, const Operand& y, const Operand& y_gelu) {
  return visit_alike(y, y_gelu, [&](const auto& y, const auto& gelu) -> Epilogue {
    return {.reads = [&bias](Range, Range cols) { return bias.over_cols(cols); },
            .writes = [&y_gelu](Range rows, Range cols) { return y_gelu.over(rows, cols); },
            .run =
                [bias, y, gelu](Matrix<float> sums, Range rows, Range cols) {
                  store_with_bias_gelu(bias.row_elements(cols), sums, y.block(rows, cols),
                                       gelu.block(rows, cols));
                }};
  });
}

// dx = sums * gelu'(x), y = gelu(x)
// docs/model.md#gelu
Epilogue gelu_backward_epilogue(const Operand& x, const Operand& dx, const Operand& y) {
  return visit_alike(x, dx, [&](const auto& x_tiled, const auto& dx_tiled) -> Epilogue {
    const auto& y_tiled = y.as<ElementOf<decltype(x_tiled)>>();
    return {.reads = [&x](Range rows, Range cols) { return x.over(rows, cols); },
            .writes = [&y](Range rows, Range cols) { return y.over(rows, cols); },
            .run =
                [x_tiled, dx_tiled, y_tiled](Matrix<float> sums, Range rows, Range cols) {
                  store_gelu_backward(x_tiled.block(rows, cols), sums, dx_tiled.block(rows, cols),
                                      y_tiled.block(rows, cols));
                }};
  });
}

}  // namespace

Operand allocate_fch(const StepMatrices& matrices, const std::string& at, int64_t C) {
  return matrices.product_operand(at + "fch", 4 * C, C);
}

Operand allocate_fch_gelu(const StepMatrices& matrices, const std::string& at, int64_t C) {
  return matrices.product_operand(at + "fch_gelu", 4 * C, C);
}

MlpGradients allocate_mlp_gradients(const StepMatrices& matrices, const std::string& at,
                                    int64_t C) {
  return {.dfch = matrices.product_operand(at + "dfch", 4 * C, C)};
}

// docs/model.md#gelu
void append_mlp_forward(const LayerOps& ops, const LayerParts& parts, const Operand& x,
                        const Tiled<float>& residual, const MlpActivations& a,
                        const Tiled<float>& y) {
  const Tiled<float>& fcb = parts.weights.get(kFc.bias, ops.layer);
  const Tiled<float>& fcprojb = parts.weights.get(kFcproj.bias, ops.layer);
  append_linear_forward(ops, parts, kFc, x, a.fch, gelu_epilogue(fcb, a.fch, a.fch_gelu));
  append_linear_forward(ops, parts, kFcproj, a.fch_gelu, y,
                        residual_epilogue(fcprojb, residual, y));
}

// GELU is left out: backward computes it beside its derivative.
// docs/model.md#memory-for-time
void append_mlp_again(const LayerOps& ops, const LayerParts& parts, const Operand& x,
                      const MlpActivations& a) {
  const Tiled<float>& fcb = parts.weights.get(kFc.bias, ops.layer);
  append_linear_forward(ops, parts, kFc, x, a.fch, bias_epilogue(fcb, a.fch));
}

// docs/model.md#gelu
void append_mlp_backward(const LayerOps& ops, const BackwardParts& parts, const Operand& x,
                         const MlpActivations& a, const Operand& dy, const MlpGradients& d,
                         const Operand& dx) {
  append_linear_backward(ops, parts, kFcproj, a.fch_gelu, dy, d.dfch,
                         gelu_backward_epilogue(a.fch, d.dfch, a.fch_gelu));
  append_linear_backward(ops, parts, kFc, x, d.dfch, dx);
}

}  // namespace weft
