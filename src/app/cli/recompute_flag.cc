#include "app/cli/recompute_flag.h"

namespace weft {
namespace {

// GELU is always recomputed, by the op that needs its derivative, so `gelu` changes nothing.
constexpr const char* kGelu = "gelu";
constexpr const char* kBlock = "block";

}  // namespace

void add_recompute_flag(Options& flags, std::string& value) {
  flags.choice(
      "--recompute", value, {kRecomputeNone, kGelu, kBlock},
      "Activations recomputed in backward: block keeps the inputs of the blocks alone, and "
      "takes less memory and more time; the results are the same");
}

bool recomputes_blocks(const std::string& value) { return value == kBlock; }

}  // namespace weft
