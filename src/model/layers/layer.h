// LayerParts, BackwardParts and LayerOps: the ops of every layer are built from these.
#pragma once

#include <string>
#include <vector>

#include "kernels/gemm.h"
#include "model/config.h"
#include "model/gradient_sink.h"
#include "model/micro_step.h"
#include "model/operand.h"
#include "model/tiled_parameters.h"
#include "model/tiling.h"
#include "program/program.h"

namespace weft {

// REQUIRES: everything outlives the programs built from it.
struct LayerParts {
  const Config& config;
  const Tiling& tiling;
  GemmBackend backend;  // of fp32 products
  const TiledParameters& weights;
  // By index in the parameter table; null but where a single row is decoded. Linear layers then
  // read these instead of `weights`, whose values they have.
  const std::vector<Tiled<BFloat16>>* bf16_weights = nullptr;

  size_t index(Tensor tensor, int64_t layer) const {
    return weights.values().table->index(tensor, layer);
  }
  // The weight that a matrix product reads.
  Operand linear_weight(Tensor tensor, int64_t layer) const {
    if (bf16_weights != nullptr) return (*bf16_weights)[index(tensor, layer)];
    return weights.get(tensor, layer);
  }
};

// Besides, the parts that backward ops need. The first micro-step overwrites gradients, later ones
// add to them.
struct BackwardParts : LayerParts {
  const TiledParameters& dweights;
  MicroStep micro;
  GradientSink& sink;

  void complete(Tensor tensor, int64_t layer) const { sink.on_parameter(index(tensor, layer)); }
};

// The program that the ops of a layer are appended to, and their place in the model and the step.
struct LayerOps {
  Program& program;
  int64_t layer = OpName::kNone;  // none: outside of the blocks
  // Forward ops that backward runs once more because their results have been overwritten.
  bool again = false;

  OpName name(const std::string& kind) const {
    return {.kind = again ? "again/" + kind : kind, .layer = layer};
  }
  Phase forward_phase() const { return again ? Phase::kBackward : Phase::kForward; }
};

}  // namespace weft
