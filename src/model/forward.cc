#include "model/forward.h"

#include <fmt/format.h>

#include <memory>

#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/kernel_costs.h"
#include "kernels/layernorm.h"
#include "model/attention_kernel.h"
#include "model/linear_ops.h"

namespace weft {
namespace {

// y = layernorm(x), one op per row tile.
// docs/model.md#layernorm
void append_layernorm_forward(Program& program, OpName name, const Tiled<float>& x,
                              const Tiled<float>& weight, const Tiled<float>& bias,
                              const LayernormActivations& y) {
  const std::vector<Range> row_ranges = y.out.row_ranges();
  y.out.visit([&](const auto& out) {
    for (size_t i = 0; i < row_ranges.size(); ++i) {
      const Range rows = row_ranges[i];
      name.tile = fmt::format("r{}", i);
      program.add({.name = name,
                   .phase = Phase::kForward,
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

// encoded = wte[token] + wpe[position]
// docs/model.md#embedding
void append_embedding(Program& program, const StepParts& parts) {
  const Activations& a = parts.activations;
  const Tiled<float>& wte = parts.weights.get(Tensor::wte);
  const Tiled<float>& wpe = parts.weights.get(Tensor::wpe);
  const std::vector<Range> row_ranges = a.encoded.row_ranges();
  for (size_t i = 0; i < row_ranges.size(); ++i) {
    const Range rows = row_ranges[i];
    program.add(
        {.name = {.kind = "embedding/forward", .tile = fmt::format("r{}", i)},
         .phase = Phase::kForward,
         .reads = tiles_of({a.inputs.over(rows), a.positions.over(rows), wte.all(), wpe.all()}),
         .writes = a.encoded.over(rows),
         .run = [tokens = a.inputs.column(rows), positions = a.positions.column(rows),
                 wte = wte.matrix(), wpe = wpe.matrix(), out = a.encoded.block(rows)](std::byte*) {
           embedding_forward(tokens, positions, wte, wpe, out);
         }});
  }
}

// What an fp32 result takes in place, a bf16 result takes from the product's sums.
void store_with_bias(Vector<const float> bias, Matrix<float>, Matrix<float> y) {
  add_bias(bias, y);
}
void store_with_bias(Vector<const float> bias, Matrix<float> sums, Matrix<BFloat16> y) {
  add_bias(bias, sums, y);
}
void store_with_bias_gelu(Vector<const float> bias, Matrix<float>, Matrix<float> y,
                          Matrix<float> y_gelu) {
  add_bias_gelu(bias, y, y_gelu);
}
void store_with_bias_gelu(Vector<const float> bias, Matrix<float> sums, Matrix<BFloat16> y,
                          Matrix<BFloat16> y_gelu) {
  add_bias_gelu(bias, sums, y, y_gelu);
}

// y = sums + b
// docs/model.md#linear-layers
Epilogue bias_epilogue(const Tiled<float>& bias, const Operand& y) {
  return y.visit([&](const auto& y) -> Epilogue {
    return {.reads = [&bias](Range, Range cols) { return bias.over_cols(cols); },
            .writes = {},
            .run =
                [bias, y](Matrix<float> sums, Range rows, Range cols) {
                  store_with_bias(bias.row_elements(cols), sums, y.block(rows, cols));
                }};
  });
}

// y += b + residual
// docs/model.md#residuals
Epilogue residual_epilogue(const Tiled<float>& bias, const Tiled<float>& residual,
                           const Tiled<float>& y) {
  return {.reads =
              [&bias, &residual](Range rows, Range cols) {
                return tiles_of({bias.over_cols(cols), residual.over(rows, cols)});
              },
          .writes = {},
          .run =
              [bias, residual, y](Matrix<float>, Range rows, Range cols) {
                add_bias_residual(bias.row_elements(cols), residual.block(rows, cols),
                                  y.block(rows, cols));
              }};
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

void append_block_linear(Program& program, const StepParts& parts, int64_t layer, const char* name,
                         const Operand& x, Tensor weight, const Operand& y,
                         const Epilogue& epilogue) {
  append_linear_forward(program, {.kind = fmt::format("{}/forward", name), .layer = layer}, x,
                        parts.linear_weight(weight, layer), y, epilogue, parts.backend);
}

// From residual_in to fch; `fch_done` is the epilogue of the product that gives fch.
void append_block_to_fch(Program& program, const StepParts& parts, int64_t layer,
                         const AppendAttention& attention, const Epilogue& fch_done) {
  const TiledParameters& w = parts.weights;
  const BlockActivations& block = parts.activations.blocks[static_cast<size_t>(layer)];
  const Tiled<float>& residual_in = parts.activations.residual_in(layer);
  const auto linear = [&](const char* name, const Operand& x, Tensor weight, const Operand& y,
                          const Epilogue& epilogue) {
    append_block_linear(program, parts, layer, name, x, weight, y, epilogue);
  };
  append_layernorm_forward(program, {.kind = "ln1/forward", .layer = layer}, residual_in,
                           w.get(Tensor::ln1w, layer), w.get(Tensor::ln1b, layer), block.ln1);
  linear("qkv", block.ln1.out, Tensor::qkvw, block.qkv,
         bias_epilogue(w.get(Tensor::qkvb, layer), block.qkv));
  attention(program, parts, layer);
  linear("attproj", block.atty, Tensor::attprojw, block.residual_mid,
         residual_epilogue(w.get(Tensor::attprojb, layer), residual_in, block.residual_mid));
  append_layernorm_forward(program, {.kind = "ln2/forward", .layer = layer}, block.residual_mid,
                           w.get(Tensor::ln2w, layer), w.get(Tensor::ln2b, layer), block.ln2);
  linear("fc", block.ln2.out, Tensor::fcw, block.fch, fch_done);
}

// docs/model.md#the-whole
void append_block(Program& program, const StepParts& parts, int64_t layer,
                  const AppendAttention& attention) {
  const TiledParameters& w = parts.weights;
  const BlockActivations& block = parts.activations.blocks[static_cast<size_t>(layer)];
  const Operand& fch_gelu = parts.activations.fch_gelu(layer);
  append_block_to_fch(program, parts, layer, attention,
                      gelu_epilogue(w.get(Tensor::fcb, layer), block.fch, fch_gelu));
  append_block_linear(
      program, parts, layer, "fcproj", fch_gelu, Tensor::fcprojw, block.residual_out,
      residual_epilogue(w.get(Tensor::fcprojb, layer), block.residual_mid, block.residual_out));
}

}  // namespace

// docs/model.md#attention
void append_attention(Program& program, const StepParts& parts, int64_t layer) {
  const Tiling& tiling = parts.tiling;
  const int64_t C = parts.config.C, HS = parts.config.HS(), T = tiling.T;
  const BlockActivations& block = parts.activations.blocks[static_cast<size_t>(layer)];
  visit_alike(block.qkv, block.atty, [&](const auto& qkv, const auto& atty) {
    const auto kernel = make_attention(qkv, T, HS, parts.backend);
    for (int64_t b = 0; b < tiling.B; ++b) {
      for (int64_t h = 0; h < parts.config.NH; h += tiling.heads) {
        const Range rows{b * T, (b + 1) * T};
        const Range heads{h, h + tiling.heads};
        const Range q{heads.begin * HS, heads.end * HS};
        const Range k{C + q.begin, C + q.end}, v{2 * C + q.begin, 2 * C + q.end};
        const Range lse_cols{heads.begin * T, heads.end * T};
        program.add({.name = {.kind = "attention/forward",
                              .layer = layer,
                              .tile = fmt::format("b{},h{}", b, h)},
                     .phase = Phase::kForward,
                     .reads = tiles_of({qkv.over(rows, q), qkv.over(rows, k), qkv.over(rows, v)}),
                     .writes = tiles_of({atty.over(rows, q), block.lse.over({b, b + 1}, lse_cols)}),
                     .run =
                         [kernel, heads, HS, T, C, qkv = qkv.block(rows), out = atty.block(rows),
                          lse = block.lse.matrix().row(b)](std::byte* scratch) {
                           for (int64_t head = heads.begin; head < heads.end; ++head) {
                             kernel->forward(
                                 qkv.col_block(head * HS, HS), qkv.col_block(C + head * HS, HS),
                                 qkv.col_block(2 * C + head * HS, HS), out.col_block(head * HS, HS),
                                 lse.subspan(size_t(head * T), size_t(T)), scratch);
                           }
                         },
                     .scratch_bytes = kernel->forward_scratch_bytes(),
                     .flops = double(heads.size()) *
                              kernel_cost::attention_forward(double(T), double(HS)).flops});
      }
    }
  });
}

// docs/model.md#the-whole
void append_forward(Program& program, const StepParts& parts, const AppendAttention& attention,
                    const BeforeLayer& before_layer) {
  append_embedding(program, parts);
  for (int64_t layer = 0; layer <= parts.config.L; ++layer) {
    if (before_layer) before_layer(program, layer);
    if (layer < parts.config.L) append_block(program, parts, layer, attention);
  }
  append_layernorm_forward(
      program, {.kind = "lnf/forward"}, parts.activations.residual_in(parts.config.L),
      parts.weights.get(Tensor::lnfw), parts.weights.get(Tensor::lnfb), parts.activations.lnf);
}

// GELU is left out: backward computes it itself, beside its derivative.
// docs/model.md#memory-for-time
void append_block_again(Program& program, const StepParts& parts, int64_t layer) {
  const Operand& fch = parts.activations.blocks[static_cast<size_t>(layer)].fch;
  Program block("again", program.tiles());
  append_block_to_fch(block, parts, layer, append_attention,
                      bias_epilogue(parts.weights.get(Tensor::fcb, layer), fch));
  for (Op op : block.ops()) {
    op.name.kind.insert(0, "again/");
    op.phase = Phase::kBackward;
    program.add(std::move(op));
  }
}

}  // namespace weft
