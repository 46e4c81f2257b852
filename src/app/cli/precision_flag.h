// --precision, as every command that takes training steps has it.
#pragma once

#include <string>

#include "app/cli/options.h"
#include "model/precision.h"

namespace weft {

// REQUIRES: value outlives the flags.
void add_precision_flag(Options& flags, std::string& value);

// Throws Error (kInput), with the reason, if this CPU or system has no bf16 products. `command` is
// what the message begins with. REQUIRES: the value passed the flag.
Precision parse_precision(const char* command, const std::string& value);

}  // namespace weft
