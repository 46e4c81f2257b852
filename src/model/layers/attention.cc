#include "model/layers/attention.h"

#include <fmt/format.h>

#include <memory>

#include "kernels/attention.h"
#include "kernels/kernel_costs.h"

namespace weft {
namespace {

// Some heads of one sequence: the work of one op.
struct HeadGroup {
  int64_t b;
  Range rows;  // the tokens of sequence b
  Range heads;
  Range q, k, v;  // their columns in qkv; in atty they have the columns of q
  Range lse;      // their columns in row b of lse

  std::string tile() const { return fmt::format("b{},h{}", b, heads.begin); }
};

std::vector<HeadGroup> head_groups(const Config& config, const Tiling& tiling) {
  const int64_t C = config.C, HS = config.HS(), T = tiling.T;
  std::vector<HeadGroup> groups;
  for (int64_t b = 0; b < tiling.B; ++b) {
    for (int64_t h = 0; h < config.NH; h += tiling.heads) {
      const Range heads{h, h + tiling.heads};
      const Range q{heads.begin * HS, heads.end * HS};
      groups.push_back({.b = b,
                        .rows = {b * T, (b + 1) * T},
                        .heads = heads,
                        .q = q,
                        .k = {C + q.begin, C + q.end},
                        .v = {2 * C + q.begin, 2 * C + q.end},
                        .lse = {heads.begin * T, heads.end * T}});
    }
  }
  return groups;
}

// atty = softmax(q k^T / sqrt(HS)) v, head by head.
// docs/model.md#attention
void append_heads_forward(const LayerOps& ops, const LayerParts& parts,
                          const AttentionActivations& a) {
  const int64_t C = parts.config.C, HS = parts.config.HS(), T = parts.tiling.T;
  OpName name = ops.name("attention/forward");
  visit_alike(a.qkv, a.atty, [&](const auto& qkv, const auto& atty) {
    using Element = ElementOf<decltype(qkv)>;
    const auto kernel = std::make_shared<const Attention<Element>>(T, HS, parts.backend);
    for (const HeadGroup& g : head_groups(parts.config, parts.tiling)) {
      name.tile = g.tile();
      ops.program.add(
          {.name = name,
           .phase = ops.forward_phase(),
           .reads = tiles_of({qkv.over(g.rows, g.q), qkv.over(g.rows, g.k), qkv.over(g.rows, g.v)}),
           .writes = tiles_of({atty.over(g.rows, g.q), a.lse.over({g.b, g.b + 1}, g.lse)}),
           .run =
               [kernel, heads = g.heads, HS, T, C, qkv = qkv.block(g.rows),
                out = atty.block(g.rows), lse = a.lse.matrix().row(g.b)](std::byte* scratch) {
                 for (int64_t head = heads.begin; head < heads.end; ++head) {
                   kernel->forward(qkv.col_block(head * HS, HS), qkv.col_block(C + head * HS, HS),
                                   qkv.col_block(2 * C + head * HS, HS),
                                   out.col_block(head * HS, HS),
                                   lse.subspan(size_t(head * T), size_t(T)), scratch);
                 }
               },
           .scratch_bytes = kernel->forward_scratch_bytes(),
           .flops = double(g.heads.size()) *
                    kernel_cost::attention_forward(double(T), double(HS)).flops});
    }
  });
}

// dq, dk and dv of whole heads, so no sums are shared between ops.
// docs/model.md#attention-backward
void append_heads_backward(const LayerOps& ops, const BackwardParts& parts,
                           const AttentionActivations& a, const AttentionGradients& d) {
  const int64_t C = parts.config.C, HS = parts.config.HS(), T = parts.tiling.T;
  OpName name = ops.name("attention/backward");
  visit_alike(a.qkv, d.dqkv, [&](const auto& qkv, const auto& dqkv) {
    using Element = ElementOf<decltype(qkv)>;
    const Tiled<Element>&atty = a.atty.as<Element>(), &datty = d.datty.as<Element>();
    const auto kernel = std::make_shared<const Attention<Element>>(T, HS, parts.backend);
    for (const HeadGroup& g : head_groups(parts.config, parts.tiling)) {
      name.tile = g.tile();
      ops.program.add(
          {.name = name,
           .phase = Phase::kBackward,
           .reads = tiles_of({qkv.over(g.rows, g.q), qkv.over(g.rows, g.k), qkv.over(g.rows, g.v),
                              atty.over(g.rows, g.q), datty.over(g.rows, g.q),
                              a.lse.over({g.b, g.b + 1}, g.lse)}),
           .writes =
               tiles_of({dqkv.over(g.rows, g.q), dqkv.over(g.rows, g.k), dqkv.over(g.rows, g.v)}),
           .run =
               [kernel, heads = g.heads, HS, T, C, qkv = qkv.block(g.rows),
                out = atty.block(g.rows), lse = a.lse.matrix().row(g.b), dout = datty.block(g.rows),
                dqkv = dqkv.block(g.rows)](std::byte* scratch) {
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
           .flops = double(g.heads.size()) *
                    kernel_cost::attention_backward(double(T), double(HS)).flops});
    }
  });
}

}  // namespace

AttentionActivations allocate_attention(const StepMatrices& matrices, const std::string& at,
                                        const Config& config) {
  const int64_t C = config.C, T = matrices.tiling().T;
  return {.qkv = matrices.product_operand(at + "qkv", 3 * C, C),
          .atty = matrices.heads(at + "atty", C, config.HS()),
          .lse = matrices.matrix<float>(at + "lse", matrices.tiling().B, config.NH * T, 1,
                                        matrices.tiling().heads * T)};
}

AttentionGradients allocate_attention_gradients(const StepMatrices& matrices, const std::string& at,
                                                const Config& config) {
  const int64_t C = config.C;
  return {.datty = matrices.product_operand(at + "datty", C, C),
          .dqkv = matrices.heads(at + "dqkv", 3 * C, config.HS())};
}

// docs/model.md#attention
void append_attention_forward(const LayerOps& ops, const LayerParts& parts, const Operand& x,
                              const Tiled<float>& residual, const AttentionActivations& a,
                              const Tiled<float>& y, const AppendHeads& heads) {
  const Tiled<float>& qkvb = parts.weights.get(kQkv.bias, ops.layer);
  const Tiled<float>& attprojb = parts.weights.get(kAttproj.bias, ops.layer);
  append_linear_forward(ops, parts, kQkv, x, a.qkv, bias_epilogue(qkvb, a.qkv));
  if (heads) {
    heads(ops.program, ops.layer);
  } else {
    append_heads_forward(ops, parts, a);
  }
  append_linear_forward(ops, parts, kAttproj, a.atty, y, residual_epilogue(attprojb, residual, y));
}

// docs/model.md#attention-backward
void append_attention_backward(const LayerOps& ops, const BackwardParts& parts, const Operand& x,
                               const AttentionActivations& a, const Operand& dy,
                               const AttentionGradients& d, const Operand& dx) {
  append_linear_backward(ops, parts, kAttproj, a.atty, dy, d.datty);
  append_heads_backward(ops, parts, a, d);
  append_linear_backward(ops, parts, kQkv, x, d.dqkv, dx);
}

}  // namespace weft
