// Classifier and loss: logits = x wte^T, softmax, cross-entropy and, in training, the gradients of
// x and wte, by chunks of rows, so that the logits of all rows never exist at once.
#pragma once

#include <vector>

#include "kernels/cross_entropy.h"
#include "model/layers/layer.h"
#include "model/layers/step_matrices.h"

namespace weft {

struct ClassifierActivations {
  Tiled<int32_t> targets;  // (n, 1) token ids, written before a program runs

  // Logits of `classifier_rows` rows: block j of columns is a contiguous matrix (see ColumnBlocks),
  // cut into row tiles. In a bf16 step their gradients lie where bf16_in_place says.
  ColumnBlocks logits_memory;
  std::vector<Tiled<float>> logits;

  Tiled<float> losses;  // (n, 1)
  Tiled<double> loss;   // (1, 1) mean over the optimizer step's tokens
};

struct ClassifierGradients {
  std::vector<Tiled<float>> dx_partial;  // per group of vocabulary blocks, (classifier_rows, C)
  Tiled<float> dx;                       // (n, C)
};

ClassifierActivations allocate_classifier(const StepMatrices& matrices, const Config& config);
ClassifierGradients allocate_classifier_gradients(const StepMatrices& matrices,
                                                  const Config& config);

// Reads x (n, C) and targets; writes losses (per row) and adds their sum / tokens_per_step to loss:
// classifier/logits, classifier/cross_entropy and loss/sum.
void append_loss(Program& program, const LayerParts& parts, const Operand& x,
                 const ClassifierActivations& a, const MicroStep& micro);

// Like append_loss, and the gradients: dx (classifier/dX and classifier/dX_sum) and dwte
// (classifier/dW), which the first micro-step overwrites.
void append_loss_with_gradients(Program& program, const LayerParts& parts, const Operand& x,
                                const ClassifierActivations& a, const ClassifierGradients& d,
                                const Tiled<float>& dwte, const MicroStep& micro);

}  // namespace weft
