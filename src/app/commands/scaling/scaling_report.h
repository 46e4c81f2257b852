// The report of a sweep of `weft scaling`: compares each configuration with the smallest one.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "app/commands/scaling/scaling_sweep.h"

namespace weft {

// REQUIRES, here and below: there are results, as run_sweep returns them.
nlohmann::ordered_json scaling_json(const ScalingOptions& options,
                                    const std::vector<ScalingResult>& results);

// Prints the tables of that JSON on standard output.
void print_scaling(const nlohmann::ordered_json& scaling);

}  // namespace weft
