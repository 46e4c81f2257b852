// The memory bandwidth that weft's threads reach together.
#pragma once

#include <cstddef>

#include "exec/executor.h"

namespace weft {

// Bytes per second of y += x over fp32 arrays that fill `bytes`: two reads and one write of every
// element, all of them counted (y is in the cache when it is written, so none is read unasked).
// The best of a few rounds: other processes only ever slow it down. Takes about a third of a
// second. REQUIRES: bytes is several times what the caches hold, and there is that much memory.
double measure_bandwidth(const Executor& executor, size_t bytes);

}  // namespace weft
