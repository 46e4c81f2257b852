// Workers: which ranks compute, and which micro-batches of a step are whose.
#pragma once

#include <cstdint>

#include "program/tiled.h"

namespace weft {

// Which micro-batches of a step are a rank's: a run of them, as long on every rank that has any.
struct Workers {
  int64_t micro_steps = 1;  // of each worker
  int64_t first = 0;        // the first rank that works: 1 with a dedicated server
  int64_t ranks = 1;

  int64_t count() const { return ranks - first; }
  int64_t micro_batches() const { return count() * micro_steps; }
  bool works(int64_t rank) const { return rank >= first; }
  Range micro_batches_of(int64_t rank) const {
    if (!works(rank)) return {0, 0};
    return {(rank - first) * micro_steps, (rank - first + 1) * micro_steps};
  }
};

}  // namespace weft
