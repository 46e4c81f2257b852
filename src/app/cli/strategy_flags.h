// --dist and --bucket-mb, as every command that takes training steps on several ranks has them.
#pragma once

#include <string>

#include "app/cli/options.h"

namespace weft {

// REQUIRES: the variables outlive the flags.
void add_strategy_flags(Options& flags, std::string& dist, double& bucket_mb);

}  // namespace weft
