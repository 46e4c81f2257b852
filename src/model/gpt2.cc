#include "model/gpt2.h"

namespace weft {
namespace {

const BlockActivations& block_of(const StepParts& parts, int64_t layer) {
  return parts.activations.blocks[static_cast<size_t>(layer)];
}

// x + attention(ln1(x)), and ln2 of that
void append_attention_half(const LayerOps& ops, const StepParts& parts, const AppendHeads& heads) {
  const BlockActivations& a = block_of(parts, ops.layer);
  const Tiled<float>& residual_in = parts.activations.residual_in(ops.layer);
  append_norm_forward(ops, parts, kLn1, residual_in, a.ln1);
  append_attention_forward(ops, parts, a.ln1.out, residual_in, a.attention, a.residual_mid, heads);
  append_norm_forward(ops, parts, kLn2, a.residual_mid, a.ln2);
}

// x + attention(ln1(x)) = mid, mid + mlp(ln2(mid))
// docs/model.md#the-whole
void append_block(const LayerOps& ops, const StepParts& parts, const AppendHeads& heads) {
  const BlockActivations& a = block_of(parts, ops.layer);
  append_attention_half(ops, parts, heads);
  append_mlp_forward(ops, parts, a.ln2.out, a.residual_mid, a.mlp, a.residual_out);
}

// As part of backward: the activations that backward reads of a block, by the ops of its forward
// pass. "block3/qkv/forward[r0,c1]" is now "block3/again/qkv/forward[r0,c1]".
// docs/model.md#memory-for-time
void append_block_again(Program& program, const StepParts& parts, int64_t layer) {
  const LayerOps ops{.program = program, .layer = layer, .again = true};
  const BlockActivations& a = block_of(parts, layer);
  append_attention_half(ops, parts, {});
  append_mlp_again(ops, parts, a.ln2.out, a.mlp);
}

// The gradient dy of a block's output reaches its input by the layers and, past them, by the
// residuals.
// docs/model.md#how-a-gradient-is-derived
void append_block_backward(const LayerOps& ops, const BackwardParts& parts,
                           const Activations& activations, const ResidualGradient& dy,
                           const BlockGradients& d) {
  const BlockActivations& a = activations.blocks[static_cast<size_t>(ops.layer)];
  append_mlp_backward(ops, parts, a.ln2.out, a.mlp, dy.operand, d.mlp, d.ln2.dout);
  append_norm_backward(ops, parts, kLn2, a.residual_mid, a.ln2, &dy.sum, d.ln2);
  append_attention_backward(ops, parts, a.ln1.out, a.attention, d.ln2.dx.operand, d.attention,
                            d.ln1.dout);
  append_norm_backward(ops, parts, kLn1, activations.residual_in(ops.layer), a.ln1, &d.ln2.dx.sum,
                       d.ln1);
}

}  // namespace

// docs/model.md#the-whole
void append_forward(Program& program, const StepParts& parts, const ForwardHooks& hooks) {
  const Activations& a = parts.activations;
  const int64_t L = parts.config.L;
  append_embedding_forward({program}, parts, a.embedding);
  for (int64_t layer = 0; layer <= L; ++layer) {
    if (hooks.before_layer) hooks.before_layer(program, layer);
    if (layer < L) append_block({program, layer}, parts, hooks.heads);
  }
  append_norm_forward({program}, parts, kLnf, a.residual_in(L), a.lnf);
}

void append_loss(Program& program, const StepParts& parts, const MicroStep& micro) {
  append_loss(program, parts, parts.activations.lnf.out, parts.activations.classifier, micro);
}

void append_loss_with_gradients(Program& program, const TrainingParts& parts,
                                const MicroStep& micro) {
  append_loss_with_gradients(program, parts, parts.activations.lnf.out,
                             parts.activations.classifier, parts.gradients.classifier,
                             parts.dweights.get(Tensor::wte), micro);
}

// docs/model.md#how-a-gradient-is-derived
void append_backward(Program& program, const TrainingParts& parts, const MicroStep& micro,
                     GradientSink& sink) {
  const BackwardParts backward{parts, parts.dweights, micro, sink};
  const Activations& a = parts.activations;
  const Gradients& d = parts.gradients;
  const int64_t L = parts.config.L;
  if (sink.takes_token_rows()) backward.complete(Tensor::wte, 0);
  append_norm_backward({program}, backward, kLnf, a.residual_in(L), a.lnf, nullptr, d.lnf);
  for (int64_t layer = L - 1; layer >= 0; --layer) {
    if (layer < a.overwritten_blocks) append_block_again(program, parts, layer);
    append_block_backward({program, layer}, backward, a, d.dresidual_out(layer, L), d.block(layer));
  }
  append_embedding_backward({program}, backward, a.embedding, d.dencoded());
}

}  // namespace weft
