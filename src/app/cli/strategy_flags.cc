#include "app/cli/strategy_flags.h"

#include "parallel/strategy.h"

namespace weft {

void add_strategy_flags(Options& flags, std::string& dist, double& bucket_mb) {
  flags.choice("--dist", dist, strategy_names(),
               "Who updates: all ranks everything, each a share, or rank 0");
  flags.real("--bucket-mb", bucket_mb, {1e-6, 1e6}, "Gradients are sent in pieces of this size");
}

}  // namespace weft
