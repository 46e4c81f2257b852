#include "model/backward.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "kernels/bfloat16.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/kernel_costs.h"
#include "kernels/layernorm.h"
#include "kernels/transpose.h"
#include "model/attention_kernel.h"
#include "model/forward.h"
#include "model/linear_ops.h"

namespace weft {
namespace {

// The operands of one layernorm's backward pass.
struct LayernormBackward {
  std::string part;  // "ln1"
  int64_t layer;     // OpName::kNone for the last one
  const Tiled<float>& x;
  const LayernormActivations& y;
  const Tiled<float>& weight;
  const Tiled<float>& dout;       // gradient of y
  const Tiled<float>* dresidual;  // gradient that bypasses the layernorm; null if there is none
  const ResidualGradient& dx;
  const Tiled<float>& dweight_partial;
  const Tiled<float>& dbias_partial;
  const Tiled<float>& dweight;
  const Tiled<float>& dbias;
};

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

// dx = dresidual + gradient through the layernorm, one op per row tile, with its partial sums of
// dweight and dbias.
// docs/model.md#layernorm
void append_layernorm_rows(Program& program, const LayernormBackward& ln) {
  const std::vector<Range> row_ranges = ln.y.out.row_ranges();
  for (size_t i = 0; i < row_ranges.size(); ++i) {
    const Range rows = row_ranges[i];
    const Range slot{static_cast<int64_t>(i), static_cast<int64_t>(i) + 1};
    const Matrix<const float> bypass = ln.dresidual != nullptr
                                           ? Matrix<const float>(ln.dresidual->block(rows))
                                           : Matrix<const float>();
    program.add(
        {.name = {.kind = ln.part + "/backward", .layer = ln.layer, .tile = fmt::format("r{}", i)},
         .phase = Phase::kBackward,
         .reads =
             tiles_of({ln.x.over(rows), ln.weight.all(), ln.y.mean.over(rows), ln.y.rstd.over(rows),
                       ln.dout.over(rows),
                       ln.dresidual != nullptr ? ln.dresidual->over(rows) : std::vector<TileId>{}}),
         .writes = tiles_of({ln.dx.sum.over(rows), ln.dx.operand.over(rows),
                             ln.dweight_partial.over(slot), ln.dbias_partial.over(slot)}),
         .run = [x = ln.x.block(rows), weight = ln.weight.matrix().row(0),
                 mean = ln.y.mean.column(rows), rstd = ln.y.rstd.column(rows),
                 dout = ln.dout.block(rows), bypass, dx = ln.dx.sum.block(rows),
                 operand = bf16_block(ln.dx.operand, rows),
                 dweight = ln.dweight_partial.matrix().row(slot.begin),
                 dbias = ln.dbias_partial.matrix().row(slot.begin)](std::byte*) {
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
void append_layernorm_sums(Program& program, const LayernormBackward& ln, const MicroStep& micro) {
  program.add({.name = {.kind = ln.part + "/dW", .layer = ln.layer},
               .phase = Phase::kBackward,
               .reads = tiles_of({ln.dweight_partial.all(), ln.dbias_partial.all()}),
               .writes = tiles_of({ln.dweight.all(), ln.dbias.all()}),
               .run = [first = micro.first, dweights = ln.dweight_partial.matrix(),
                       dbiases = ln.dbias_partial.matrix(), dweight = ln.dweight.matrix().row(0),
                       dbias = ln.dbias.matrix().row(0)](std::byte*) {
                 if (first) {
                   std::fill(dweight.begin(), dweight.end(), 0.f);
                   std::fill(dbias.begin(), dbias.end(), 0.f);
                 }
                 add_column_sums(dweights, dweight);
                 add_column_sums(dbiases, dbias);
               }});
}

// In fp32 the sums are dx itself.
void gelu_backward_of(Matrix<float> x, Matrix<float>, Matrix<float> dx, Matrix<float> y) {
  gelu_backward(x, dx, y);
}
void gelu_backward_of(Matrix<BFloat16> x, Matrix<float> sums, Matrix<BFloat16> dx,
                      Matrix<BFloat16> y) {
  gelu_backward(x, sums, dx, y);
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
                  gelu_backward_of(x_tiled.block(rows, cols), sums, dx_tiled.block(rows, cols),
                                   y_tiled.block(rows, cols));
                }};
  });
}

// One op per sequence and group of heads: dq, dk and dv of whole heads, so no sums are shared.
// docs/model.md#attention-backward
void append_attention_backward(Program& program, const TrainingParts& parts, int64_t layer) {
  const Tiling& tiling = parts.tiling;
  const int64_t C = parts.config.C, HS = parts.config.HS(), T = tiling.T;
  const BlockActivations& a = parts.activations.blocks[static_cast<size_t>(layer)];
  const Gradients::Block& d = parts.gradients.block(layer);
  visit_alike(a.qkv, d.dqkv, [&](const auto& qkv, const auto& dqkv) {
    using T_ = ElementOf<decltype(qkv)>;
    const Tiled<T_>&atty = a.atty.as<T_>(), &datty = d.datty.as<T_>();
    const auto kernel = make_attention(qkv, T, HS, parts.backend);
    for (int64_t b = 0; b < tiling.B; ++b) {
      for (int64_t h = 0; h < parts.config.NH; h += tiling.heads) {
        const Range rows{b * T, (b + 1) * T};
        const Range heads{h, h + tiling.heads};
        const Range q{heads.begin * HS, heads.end * HS};
        const Range k{C + q.begin, C + q.end}, v{2 * C + q.begin, 2 * C + q.end};
        program.add(
            {.name = {.kind = "attention/backward",
                      .layer = layer,
                      .tile = fmt::format("b{},h{}", b, h)},
             .phase = Phase::kBackward,
             .reads = tiles_of({qkv.over(rows, q), qkv.over(rows, k), qkv.over(rows, v),
                                atty.over(rows, q), datty.over(rows, q),
                                a.lse.over({b, b + 1}, {heads.begin * T, heads.end * T})}),
             .writes = tiles_of({dqkv.over(rows, q), dqkv.over(rows, k), dqkv.over(rows, v)}),
             .run =
                 [kernel, heads, HS, T, C, qkv = qkv.block(rows), out = atty.block(rows),
                  lse = a.lse.matrix().row(b), dout = datty.block(rows),
                  dqkv = dqkv.block(rows)](std::byte* scratch) {
                   for (int64_t head = heads.begin; head < heads.end; ++head) {
                     const int64_t at = head * HS;
                     kernel->backward(qkv.col_block(at, HS), qkv.col_block(C + at, HS),
                                      qkv.col_block(2 * C + at, HS), out.col_block(at, HS),
                                      lse.subspan(size_t(head * T), size_t(T)),
                                      dout.col_block(at, HS), dqkv.col_block(at, HS),
                                      dqkv.col_block(C + at, HS), dqkv.col_block(2 * C + at, HS),
                                      scratch);
                   }
                 },
             .scratch_bytes = kernel->backward_scratch_bytes(),
             .flops = double(heads.size()) *
                      kernel_cost::attention_backward(double(T), double(HS)).flops});
      }
    }
  });
}

// The chain of dX first, then the sums that nothing in the chain waits for: fork-join puts the
// latter beside the next link of the chain, tasks wherever a core is free.
// docs/model.md#how-a-gradient-is-derived
class BlockBackward {
 public:
  BlockBackward(Program& program, const TrainingParts& parts, const MicroStep& micro, int64_t layer,
                GradientSink& sink)
      : program_(program),
        parts_(parts),
        micro_(micro),
        layer_(layer),
        sink_(sink),
        a_(parts.activations.blocks[static_cast<size_t>(layer)]),
        d_(parts.gradients.block(layer)) {}

  void append() {
    const ResidualGradient& dresidual_out = parts_.gradients.dresidual_out(layer_, parts_.config.L);
    const Tiled<float>& residual_in = parts_.activations.residual_in(layer_);
    const Operand& fch_gelu = parts_.activations.fch_gelu(layer_);

    linear_input("fcproj", dresidual_out.operand, Tensor::fcprojw, d_.dfch,
                 gelu_backward_epilogue(a_.fch, d_.dfch, fch_gelu));
    linear_weight("fcproj", dresidual_out.operand, fch_gelu, Tensor::fcprojw, Tensor::fcprojb);
    linear_input("fc", d_.dfch, Tensor::fcw, d_.dln2, {});
    linear_weight("fc", d_.dfch, a_.ln2.out, Tensor::fcw, Tensor::fcb);
    layernorm("ln2", a_.residual_mid, a_.ln2, Tensor::ln2w, Tensor::ln2b, d_.dln2,
              dresidual_out.sum, d_.dresidual_mid, d_.dln2w, d_.dln2b);
    linear_input("attproj", d_.dresidual_mid.operand, Tensor::attprojw, d_.datty, {});
    linear_weight("attproj", d_.dresidual_mid.operand, a_.atty, Tensor::attprojw, Tensor::attprojb);
    append_attention_backward(program_, parts_, layer_);
    linear_input("qkv", d_.dqkv, Tensor::qkvw, d_.dln1, {});
    linear_weight("qkv", d_.dqkv, a_.ln1.out, Tensor::qkvw, Tensor::qkvb);
    layernorm("ln1", residual_in, a_.ln1, Tensor::ln1w, Tensor::ln1b, d_.dln1, d_.dresidual_mid.sum,
              d_.dresidual_in, d_.dln1w, d_.dln1b);
  }

 private:
  void linear_input(const char* name, const Operand& dy, Tensor weight, const Operand& dx,
                    const Epilogue& epilogue) {
    append_linear_backward_input(program_, op_name(name, "/dX"), dy,
                                 parts_.weights.get(weight, layer_), dx, epilogue, parts_.backend);
  }

  void linear_weight(const char* name, const Operand& dy, const Operand& x, Tensor weight,
                     Tensor bias) {
    append_linear_backward_weight(
        program_, op_name(name, "/dW"), dy, x, parts_.dweights.get(weight, layer_),
        parts_.dweights.get(bias, layer_), micro_.first ? Sum::kOverwrite : Sum::kAdd,
        sink_.on_tile(index(weight)), parts_.backend);
    sink_.on_parameter(index(bias));
  }

  void layernorm(const char* name, const Tiled<float>& x, const LayernormActivations& y,
                 Tensor weight, Tensor bias, const Tiled<float>& dout,
                 const Tiled<float>& dresidual, const ResidualGradient& dx,
                 const Tiled<float>& dweight_partial, const Tiled<float>& dbias_partial) {
    const LayernormBackward ln{name,
                               layer_,
                               x,
                               y,
                               parts_.weights.get(weight, layer_),
                               dout,
                               &dresidual,
                               dx,
                               dweight_partial,
                               dbias_partial,
                               parts_.dweights.get(weight, layer_),
                               parts_.dweights.get(bias, layer_)};
    append_layernorm_rows(program_, ln);
    append_layernorm_sums(program_, ln, micro_);
    sink_.on_parameter(index(weight));
    sink_.on_parameter(index(bias));
  }

  OpName op_name(const char* part, const char* action) const {
    return {.kind = std::string(part) + action, .layer = layer_};
  }
  size_t index(Tensor tensor) const { return parts_.weights.values().table->index(tensor, layer_); }

  Program& program_;
  const TrainingParts& parts_;
  const MicroStep& micro_;
  int64_t layer_;
  GradientSink& sink_;
  const BlockActivations& a_;
  const Gradients::Block& d_;
};

void append_final_layernorm_backward(Program& program, const TrainingParts& parts,
                                     const MicroStep& micro) {
  const Activations& a = parts.activations;
  const Gradients& d = parts.gradients;
  const LayernormBackward ln{"lnf",
                             OpName::kNone,
                             a.residual_in(parts.config.L),
                             a.lnf,
                             parts.weights.get(Tensor::lnfw),
                             d.dlnf,
                             nullptr,
                             d.dresidual_final,
                             d.dlnfw,
                             d.dlnfb,
                             parts.dweights.get(Tensor::lnfw),
                             parts.dweights.get(Tensor::lnfb)};
  append_layernorm_rows(program, ln);
  append_layernorm_sums(program, ln, micro);
}

// dwte[token] += dencoded, token rows in order: one op, because any row of wte may be hit.
// docs/model.md#the-shared-embedding
void append_token_embedding_backward(Program& program, const TrainingParts& parts) {
  const Activations& a = parts.activations;
  const Tiled<float>& dencoded = parts.gradients.dencoded();
  const Tiled<float>& dwte = parts.dweights.get(Tensor::wte);
  program.add(
      {.name = {.kind = "embedding/dwte"},
       .phase = Phase::kBackward,
       .reads = tiles_of({a.inputs.all(), dencoded.all()}),
       .writes = dwte.all(),
       .run = [tokens = a.inputs.column({0, parts.tiling.n()}), dencoded = dencoded.matrix(),
               dwte = dwte.matrix()](std::byte*) { embedding_backward(tokens, dencoded, dwte); }});
}

// dwpe[t] (+)= dencoded of token t of every sequence, sequences in order; one op per tile of wpe.
// Positions from T on have no gradient, and nothing ever writes theirs.
// docs/model.md#embedding
void append_position_embedding_backward(Program& program, const TrainingParts& parts,
                                        const MicroStep& micro) {
  const Tiled<float>& dencoded = parts.gradients.dencoded();
  const Tiled<float>& dwpe = parts.dweights.get(Tensor::wpe);
  const int64_t B = parts.tiling.B, T = parts.tiling.T;
  const std::vector<Range> tiles = dwpe.row_ranges();
  for (size_t i = 0; i < tiles.size() && tiles[i].begin < T; ++i) {
    const Range positions{tiles[i].begin, std::min(tiles[i].end, T)};
    std::vector<TileId> reads;
    for (int64_t b = 0; b < B; ++b) {
      reads = tiles_of({reads, dencoded.over({b * T + positions.begin, b * T + positions.end})});
    }
    program.add({.name = {.kind = "embedding/dwpe", .tile = fmt::format("{}", i)},
                 .phase = Phase::kBackward,
                 .reads = reads,
                 .writes = dwpe.over(positions),
                 .run = [B, T, positions, first = micro.first, dencoded = dencoded.matrix(),
                         dwpe = dwpe.matrix()](std::byte*) {
                   if (first) fill_zero(dwpe.row_block(positions.begin, positions.size()));
                   for (int64_t b = 0; b < B; ++b) {
                     for (int64_t t = positions.begin; t < positions.end; ++t) {
                       add(dencoded.row(b * T + t), dwpe.row(t));
                     }
                   }
                 }});
  }
}

}  // namespace

// docs/model.md#how-a-gradient-is-derived
void append_backward(Program& program, const TrainingParts& parts, const MicroStep& micro,
                     GradientSink& sink) {
  const ParameterTable& table = *parts.weights.values().table;
  const auto complete = [&](Tensor tensor) { sink.on_parameter(table.index(tensor)); };
  if (sink.takes_token_rows()) complete(Tensor::wte);
  append_final_layernorm_backward(program, parts, micro);
  complete(Tensor::lnfw);
  complete(Tensor::lnfb);
  for (int64_t layer = parts.config.L - 1; layer >= 0; --layer) {
    if (layer < parts.activations.overwritten_blocks) append_block_again(program, parts, layer);
    BlockBackward(program, parts, micro, layer, sink).append();
  }
  if (!sink.takes_token_rows()) append_token_embedding_backward(program, parts);
  append_position_embedding_backward(program, parts, micro);
  if (!sink.takes_token_rows()) complete(Tensor::wte);
  complete(Tensor::wpe);
}

}  // namespace weft
