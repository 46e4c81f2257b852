// Workload: a model and the batch of one training step, which measurements and predictions of a
// step start from.
#pragma once

#include <cstdint>

#include "model/config.h"
#include "model/precision.h"

namespace weft {

struct Workload {
  Config config = {};
  int64_t B = 4, T = 64;
  Precision precision = Precision::kFp32;
};

}  // namespace weft
