// The memory bandwidth that weft's threads reach together.
#pragma once

#include <cstddef>

#include "exec/executor.h"
#include "measure/machine_facts.h"

namespace weft {

// Larger than the caches, so that all of it comes from memory, but no more than threads can touch
// in a second: in a virtual machine the caches may be those of a much larger host. 0 where that
// would take too much of the memory that is left.
size_t streamed_bytes(const MachineFacts& facts, int threads);

// What is measured. A core that only reads may reach much less than one that also writes: it then
// waits for one line after the other, where writes go on by themselves.
enum class Traffic {
  kUpdate,  // y += x: two reads and one write of every element, all of them counted (y is in the
            // cache when it is written, so none is read unasked)
  kRead,    // the sum of x
};

// Bytes per second over fp32 arrays that fill `bytes`. The best of a few rounds: other processes
// only ever slow it down. Takes about a third of a second. REQUIRES: bytes is several times what
// the caches hold, and there is that much memory.
double measure_bandwidth(const Executor& executor, Traffic traffic, size_t bytes);

// The same for the calling thread alone, by the time that it computes, and for arrays of any size:
// of memory where the caches hold much less than `bytes`, otherwise of the cache that holds them.
// REQUIRES: bytes is 8 or more, and there is that much memory.
double measure_thread_bandwidth(Traffic traffic, size_t bytes);

}  // namespace weft
