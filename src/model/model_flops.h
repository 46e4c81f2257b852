// Model FLOPs: the floating-point operations that model FLOPs utilisation (MFU) counts.
#pragma once

#include <cstdint>

#include "model/parameters.h"

namespace weft {

// Per token of a training step, as llm.c counts: 6 FLOPs per parameter, and 6 L C T for attention.
double flops_per_token(const ParameterTable& table, int64_t T);
inline constexpr const char* kMfuConvention = "llm.c: 6N + 6LCT";

}  // namespace weft
