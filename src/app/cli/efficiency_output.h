// Output of efficiencies: lines and tables for people, JSON for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "timeline/efficiency.h"

namespace weft {

// The objects hold shares of 1 and milliseconds per step. phases_json leaves out phases without any
// time.
nlohmann::ordered_json to_json(const PopMetrics& pop);
nlohmann::ordered_json to_json(const MultiplicativeModel& model);
nlohmann::ordered_json to_json(const AdditiveModel& model);
nlohmann::ordered_json to_json(const Efficiency& efficiency);
nlohmann::ordered_json phases_json(const Activity& activity);

// Counts per step, or the reason why there are none.
nlohmann::ordered_json counters_json(const std::optional<HardwareCounts>& per_step,
                                     const std::string& why_not);

// "81.0 % parallel = 90.0 % load balance x 90.0 % communication (..)"
std::string describe(const PopMetrics& pop);
// "90.0 % ranks x 90.0 % threads (multiplicative), 90.0 % + 91.0 % - 1 (additive)"
std::string describe(const MultiplicativeModel& product, const AdditiveModel& sum);
// "1.20 G instructions and 600 M cycles a step, 2.00 instructions per cycle"
std::string describe(const HardwareCounts& per_step);

// Prints a line for each phase on standard output.
void print_phases(const Activity& activity);

}  // namespace weft
