// TrainingState: weights, gradients and the optimizer's state, which is all that a step changes and
// that outlives it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "model/parameters.h"
#include "optim/optimizer.h"

namespace weft {

// How a TrainingState takes the memory of the optimizer's state. kSparse is for a rank that updates
// a part of the parameters: pages that it never touches cost nothing.
enum class StateMemory { kDense, kSparse };

// All buffers have the layout of the parameter table and start as zeros.
struct TrainingState {
  explicit TrainingState(const Config& config, const Optimizer& optimizer = *default_optimizer(),
                         StateMemory memory = StateMemory::kDense);

  // The bytes that one takes, known before the memory is taken.
  static size_t bytes(const Config& config, const Optimizer& optimizer);

  // The bytes of all tensors of the optimizer's state.
  size_t optimizer_state_bytes() const;

  std::unique_ptr<Arena> arena;
  std::unique_ptr<const ParameterTable> table;
  ParameterView weights, dweights;
  std::vector<OptimizerTensor> optimizer_state;  // in the order of Optimizer::state_names()
};

}  // namespace weft
