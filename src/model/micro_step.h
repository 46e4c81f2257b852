// MicroStep: where a micro-batch stands in its optimizer step.
#pragma once

#include <cstdint>

namespace weft {

struct MicroStep {
  bool first = true;            // the loss and the gradients start from zero
  bool last = true;             // the update follows
  int64_t tokens_per_step = 1;  // over all micro-batches (and ranks): the loss is their mean
};

}  // namespace weft
