// Backward: from the gradient of the classifier's input to the gradients of all parameters.
#pragma once

#include "model/linear_ops.h"
#include "model/micro_step.h"
#include "model/step_parts.h"
#include "program/program.h"

namespace weft {

// What follows where a gradient is complete. Parameters are named by their index in the table.
class GradientSink {
 public:
  virtual ~GradientSink() = default;

  // For the weight of a linear layer: rides on the op that completes a tile of its gradient.
  virtual Epilogue on_tile(size_t parameter) = 0;

  // For every other parameter: its gradient is complete after the ops appended so far.
  virtual void on_parameter(size_t parameter) = 0;

  // Whether the sink itself adds the rows of dencoded to those of their tokens in wte's gradient.
  // Then that is complete before backward, as far as it is of the classifier.
  virtual bool takes_token_rows() const { return false; }
};

// Reads dlnf and the activations; writes every gradient but wte's, which it adds to unless the sink
// does. The first micro-step overwrites gradients, later ones add to them.
void append_backward(Program& program, const TrainingParts& parts, const MicroStep& micro,
                     GradientSink& sink);

}  // namespace weft
