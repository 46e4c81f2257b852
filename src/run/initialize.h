// Draws the initial weights in parallel; model/parameters.cc says which values they get.
#pragma once

#include <cstdint>

#include "exec/executor.h"
#include "model/parameters.h"

namespace weft {

// Fills every parameter by initialize_rows; the result depends on the seed alone.
void initialize(const ParameterView& weights, uint64_t seed, const Executor& executor);

}  // namespace weft
