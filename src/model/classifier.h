// Classifier and loss: logits against wte, softmax, cross-entropy and, in training, both gradients,
// by chunks of rows, so that the logits of all rows never exist at once.
#pragma once

#include "model/step_parts.h"
#include "program/program.h"

namespace weft {

// Where a micro-batch stands in its optimizer step.
struct MicroStep {
  bool first = true;            // the loss and the gradients start from zero
  bool last = true;             // the update follows
  int64_t tokens_per_step = 1;  // over all micro-batches (and ranks): the loss is their mean
};

// Writes losses (per row) and adds their sum / tokens_per_step to loss. Reads lnf and targets.
void append_loss(Program& program, const StepParts& parts, const MicroStep& micro);

// The same, and the gradients: dwte (added to) and dlnf.
void append_loss_with_gradients(Program& program, const TrainingParts& parts,
                                const MicroStep& micro);

}  // namespace weft
