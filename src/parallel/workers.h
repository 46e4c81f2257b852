// Workers: the ranks that compute batches, and the micro-batches of a step that each computes.
#pragma once

#include <cstdint>

#include "program/tiled.h"

namespace weft {

// Numbers the micro-batches of a step across all ranks. Each rank that computes has a run of them,
// and all runs have the same length.
struct Workers {
  int64_t micro_steps = 1;  // micro-batches of each such rank
  int64_t first = 0;        // the first rank that computes: 1 with a dedicated server
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
