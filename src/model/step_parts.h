// What the builders of forward, loss and backward share.
#pragma once

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
};

// The parts that only training has.
struct TrainingParts : StepParts {
  const TiledParameters& dweights;
  const Gradients& gradients;
};

}  // namespace weft
