#include "model/layers/norm.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "kernels/bfloat16.h"
#include "kernels/elementwise.h"
#include "kernels/layernorm.h"
#include "kernels/transpose.h"

namespace weft {
namespace {

// The bf16 copy that a product reads, where there is one.
Matrix<BFloat16> bf16_block(const Operand& x, Range rows) {
  const auto block = [&](const auto& tiled) -> Matrix<BFloat16> {
    if constexpr (std::is_same_v<decltype(tiled), const Tiled<BFloat16>&>) {
      return tiled.block(rows);
    }
    return {};
  };
  return x.visit(block);
}

// dx = dresidual + gradient through the norm, with partial sums of dweight and dbias over the rows
// of each op.
// docs/model.md#layernorm
void append_norm_rows(const LayerOps& ops, const BackwardParts& parts, const Norm& norm,
                      const Tiled<float>& x, const NormActivations& y,
                      const Tiled<float>* dresidual, const NormGradients& d) {
  const Tiled<float>& weight = parts.weights.get(norm.weight, ops.layer);
  OpName name = ops.name(fmt::format("{}/backward", norm.name));
  const std::vector<Range> row_ranges = y.out.row_ranges();
  for (size_t i = 0; i < row_ranges.size(); ++i) {
    const Range rows = row_ranges[i];
    const Range slot{static_cast<int64_t>(i), static_cast<int64_t>(i) + 1};
    const bool has_bypass = dresidual != nullptr;
    const Matrix<const float> bypass =
        has_bypass ? Matrix<const float>(dresidual->block(rows)) : Matrix<const float>();
    name.tile = fmt::format("r{}", i);
    ops.program.add(
        {.name = name,
         .phase = Phase::kBackward,
         .reads = tiles_of({x.over(rows), weight.all(), y.mean.over(rows), y.rstd.over(rows),
                            d.dout.over(rows),
                            has_bypass ? dresidual->over(rows) : std::vector<TileId>{}}),
         .writes = tiles_of({d.dx.sum.over(rows), d.dx.operand.over(rows),
                             d.dweight_partial.over(slot), d.dbias_partial.over(slot)}),
         .run = [x = x.block(rows), weight = weight.matrix().row(0), mean = y.mean.column(rows),
                 rstd = y.rstd.column(rows), dout = d.dout.block(rows), bypass,
                 dx = d.dx.sum.block(rows), operand = bf16_block(d.dx.operand, rows),
                 dweight = d.dweight_partial.matrix().row(slot.begin),
                 dbias = d.dbias_partial.matrix().row(slot.begin)](std::byte*) {
           if (bypass.data != nullptr) {
             copy(bypass, dx);
           } else {
             fill_zero(dx);
           }
           layernorm_backward(x, weight, mean, rstd, dout, dx, dweight, dbias);
           if (operand.data != nullptr) convert(dx, operand);
         }});
  }
}

// dweight (+)= partial sums of the row tiles, first to last; likewise dbias.
// docs/model.md#layernorm
void append_norm_sums(const LayerOps& ops, const BackwardParts& parts, const Norm& norm,
                      const NormGradients& d) {
  const Tiled<float>& dweight = parts.dweights.get(norm.weight, ops.layer);
  const Tiled<float>& dbias = parts.dweights.get(norm.bias, ops.layer);
  ops.program.add({.name = ops.name(fmt::format("{}/dW", norm.name)),
                   .phase = Phase::kBackward,
                   .reads = tiles_of({d.dweight_partial.all(), d.dbias_partial.all()}),
                   .writes = tiles_of({dweight.all(), dbias.all()}),
                   .run = [first = parts.micro.first, dweights = d.dweight_partial.matrix(),
                           dbiases = d.dbias_partial.matrix(), dweight = dweight.matrix().row(0),
                           dbias = dbias.matrix().row(0)](std::byte*) {
                     if (first) {
                       std::fill(dweight.begin(), dweight.end(), 0.f);
                       std::fill(dbias.begin(), dbias.end(), 0.f);
                     }
                     add_column_sums(dweights, dweight);
                     add_column_sums(dbiases, dbias);
                   }});
}

}  // namespace

NormActivations allocate_norm(const StepMatrices& matrices, const std::string& at, const Norm& norm,
                              int64_t C) {
  const std::string name = at + norm.name;
  return {matrices.whole_row_operand(name, C), matrices.per_row<float>(name + "_mean"),
          matrices.per_row<float>(name + "_rstd")};
}

NormGradients allocate_norm_gradients(const StepMatrices& matrices, const std::string& at,
                                      const Norm& norm, const Tiled<float>& dout,
                                      const std::string& dx_name) {
  const int64_t C = dout.cols();
  const auto partials = [&](Tensor tensor) {
    return matrices.norm_partials(fmt::format("{}d{}", at, tensor_name(tensor)), C);
  };
  return {.dout = dout,
          .dx = matrices.residual_gradient(at + dx_name, C),
          .dweight_partial = partials(norm.weight),
          .dbias_partial = partials(norm.bias)};
}

// docs/model.md#layernorm
void append_norm_forward(const LayerOps& ops, const LayerParts& parts, const Norm& norm,
                         const Tiled<float>& x, const NormActivations& y) {
  const Tiled<float>& weight = parts.weights.get(norm.weight, ops.layer);
  const Tiled<float>& bias = parts.weights.get(norm.bias, ops.layer);
  OpName name = ops.name(fmt::format("{}/forward", norm.name));
  const std::vector<Range> row_ranges = y.out.row_ranges();
  y.out.visit([&](const auto& out) {
    for (size_t i = 0; i < row_ranges.size(); ++i) {
      const Range rows = row_ranges[i];
      name.tile = fmt::format("r{}", i);
      ops.program.add({.name = name,
                       .phase = ops.forward_phase(),
                       .reads = tiles_of({x.over(rows), weight.all(), bias.all()}),
                       .writes = tiles_of({out.over(rows), y.mean.over(rows), y.rstd.over(rows)}),
                       .run = [x = x.block(rows), weight = weight.matrix().row(0),
                               bias = bias.matrix().row(0), out = out.block(rows),
                               mean = y.mean.column(rows), rstd = y.rstd.column(rows)](std::byte*) {
                         layernorm_forward(x, weight, bias, out, mean, rstd);
                       }});
    }
  });
}

// docs/model.md#layernorm
void append_norm_backward(const LayerOps& ops, const BackwardParts& parts, const Norm& norm,
                          const Tiled<float>& x, const NormActivations& y,
                          const Tiled<float>* dresidual, const NormGradients& d) {
  append_norm_rows(ops, parts, norm, x, y, dresidual, d);
  append_norm_sums(ops, parts, norm, d);
  parts.complete(norm.weight, ops.layer);
  parts.complete(norm.bias, ops.layer);
}

}  // namespace weft
