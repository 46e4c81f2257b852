// --precision, as every command that takes training steps has it.
#pragma once

#include "app/cli/options.h"
#include "model/precision.h"

namespace weft {

// REQUIRES: precision outlives the flags.
void add_precision_flag(Options& flags, Precision& precision);

// Throws Error (kInput), with the reason, if this CPU or system has no bf16 products and they are
// asked for. `command` is what the message begins with.
void require_precision(const char* command, Precision precision);

}  // namespace weft
