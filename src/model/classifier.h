// Classifier and loss: logits against wte, softmax, cross-entropy and, in training, both gradients,
// by chunks of rows, so that the logits of all rows never exist at once.
#pragma once

#include "model/micro_step.h"
#include "model/step_parts.h"
#include "program/program.h"

namespace weft {

// Writes losses (per row) and adds their sum / tokens_per_step to loss. Reads lnf and targets.
void append_loss(Program& program, const StepParts& parts, const MicroStep& micro);

// The same, and the gradients: dlnf, and dwte, which the first micro-step overwrites.
void append_loss_with_gradients(Program& program, const TrainingParts& parts,
                                const MicroStep& micro);

}  // namespace weft
