// Divergence: ends a run whose numbers are no longer finite, before it saves them.
#pragma once

#include <cstdint>
#include <filesystem>

#include "model/parameters.h"

namespace weft {

// Throws Error (kFailure, the same on all ranks) if a step's loss or gradient norm is not finite;
// its hint names the last good checkpoint of the run.
void refuse_diverged_step(int64_t step, double loss, double grad_norm,
                          const std::filesystem::path& run_directory);

// Loss and gradient of a step are those before its update; this checks the weights that the update
// left. Throws Error (kFailure).
void refuse_diverged_weights(int64_t step, const ParameterView& weights,
                             const std::filesystem::path& run_directory);

}  // namespace weft
