// GPT-2: its layers put together to a forward pass, a loss and a backward pass, which may compute
// the activations of a block again (--recompute block) instead of reading stored ones.
#pragma once

#include <cstdint>
#include <functional>

#include "model/activations.h"
#include "model/gradient_sink.h"
#include "model/layers/layer.h"
#include "model/micro_step.h"
#include "program/program.h"

namespace weft {

// A model and the memory of its forward pass. REQUIRES: everything outlives the programs.
struct StepParts : LayerParts {
  const Activations& activations;
};

// Besides, the parts that only training has.
struct TrainingParts : StepParts {
  const TiledParameters& dweights;
  const Gradients& gradients;
};

// Ops that a caller may add to the forward pass or exchange in it.
struct ForwardHooks {
  // Appends ops before those of a layer; after the last layer, with layer = L.
  std::function<void(Program& program, int64_t layer)> before_layer = {};
  // Appends other ops for the heads of attention.
  AppendHeads heads = {};
};

// Reads inputs and positions; writes every activation up to lnf.
void append_forward(Program& program, const StepParts& parts, const ForwardHooks& hooks = {});

// Reads lnf and targets; writes losses (per row) and adds their sum / tokens_per_step to loss.
void append_loss(Program& program, const StepParts& parts, const MicroStep& micro);

// Like append_loss, and the gradients: dlnf, and dwte, which the first micro-step overwrites.
void append_loss_with_gradients(Program& program, const TrainingParts& parts,
                                const MicroStep& micro);

// Reads dlnf and the activations; writes every gradient but wte's, which it adds to unless the sink
// does. The first micro-step overwrites gradients, later ones add to them.
void append_backward(Program& program, const TrainingParts& parts, const MicroStep& micro,
                     GradientSink& sink);

}  // namespace weft
