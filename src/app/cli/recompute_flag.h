// --recompute, as every command that takes training steps has it.
#pragma once

#include <string>

#include "app/cli/options.h"

namespace weft {

constexpr const char* kRecomputeNone = "none";

// REQUIRES: value outlives the flags.
void add_recompute_flag(Options& flags, std::string& value);

// REQUIRES: the value passed the flag.
bool recomputes_blocks(const std::string& value);

}  // namespace weft
