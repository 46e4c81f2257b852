// LossProgram: the forward pass and loss of one batch of a model, on memory of its own.
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "kernels/gemm.h"
#include "model/activations.h"
#include "model/tiled_parameters.h"
#include "model/tiling.h"
#include "program/program.h"

namespace weft {

// The batch has B sequences of T tokens. The loss of a row depends only on the tokens of its
// sequence up to the target, so sequences may be padded at their end with any id < V.
class LossProgram {
 public:
  // REQUIRES: the weights outlive this; 1 <= T <= the model's T.
  LossProgram(const ParameterView& weights, int64_t B, int64_t T, GemmBackend backend);
  LossProgram(const LossProgram&) = delete;
  LossProgram& operator=(const LossProgram&) = delete;

  const Program& program() const { return program_; }

  // (B T): row b T + t is token t of sequence b; ids in [0, V).
  Vector<int32_t> inputs() const { return activations_.embedding.inputs.column({0, tiling_.n()}); }
  Vector<int32_t> targets() const {
    return activations_.classifier.targets.column({0, tiling_.n()});
  }
  // After a run: -log p(target), natural logarithm.
  Vector<const float> losses() const {
    return activations_.classifier.losses.column({0, tiling_.n()});
  }

 private:
  Tiling tiling_;
  Arena arena_;
  TileTable tiles_;
  TiledParameters weights_;
  Activations activations_;
  Program program_;
};

}  // namespace weft
