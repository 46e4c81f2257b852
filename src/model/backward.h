// Backward: from the gradient of the classifier's input to the gradients of all parameters.
#pragma once

#include <functional>

#include "model/step_parts.h"
#include "program/program.h"

namespace weft {

// A parameter's gradient is complete after the ops appended so far. The argument is its index in
// the parameter table.
using GradientComplete = std::function<void(size_t parameter)>;

// Reads dlnf and the activations; adds to every gradient. Calls gradient_complete after the last op
// that adds to each parameter: without clipping, its update may follow at once.
void append_backward(Program& program, const TrainingParts& parts,
                     const GradientComplete& gradient_complete);

}  // namespace weft
