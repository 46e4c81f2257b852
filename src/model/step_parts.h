// What the builders of forward, loss and backward share.
#pragma once

#include <vector>

#include "kernels/gemm.h"
#include "model/activations.h"
#include "model/config.h"
#include "model/tiled_parameters.h"
#include "model/tiling.h"

namespace weft {

// REQUIRES: everything outlives the programs built from it.
struct StepParts {
  const Config& config;
  const Tiling& tiling;
  GemmBackend backend;
  const TiledParameters& weights;
  const Activations& activations;
  // By index in the parameter table; null but where a single row is decoded. Linear layers then
  // read these instead of `weights`, whose values they have.
  const std::vector<Tiled<BFloat16>>* bf16_weights = nullptr;

  // What a linear layer reads.
  Operand linear_weight(Tensor tensor, int64_t layer) const {
    const size_t index = weights.values().table->index(tensor, layer);
    if (bf16_weights != nullptr) return (*bf16_weights)[index];
    return weights.at(index);
  }
};

// The parts that only training has.
struct TrainingParts : StepParts {
  const TiledParameters& dweights;
  const Gradients& gradients;
};

}  // namespace weft
