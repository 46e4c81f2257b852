// --precision, as every command that takes training steps has it.
#pragma once

#include "app/cli/options.h"
#include "model/precision.h"

namespace weft {

// REQUIRES: precision outlives the flags.
void add_precision_flag(Options& flags, Precision& precision);

// Throws Error (kInput), with the reason, if the precision is bf16 and this CPU or system has no
// bf16 products. The message begins with `command`.
void require_precision(const char* command, Precision precision);

}  // namespace weft
