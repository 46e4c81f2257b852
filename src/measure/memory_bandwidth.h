// The memory bandwidth that weft's threads reach together.
#pragma once

#include <cstddef>

#include "exec/executor.h"
#include "measure/machine_facts.h"

namespace weft {

// Returns a size larger than the caches, so that all of it comes from memory, but not larger than
// the threads can touch in a second: in a virtual machine the caches may be those of a much larger
// host. Returns 0 where that would take too much of the available memory.
size_t streamed_bytes(const MachineFacts& facts, int threads);

// The memory accesses that are measured. A core that only reads may reach much less than one that
// also writes, because it waits for every line, but not for its writes.
enum class Traffic {
  kUpdate,  // y += x: two reads and one write of every element, all of them counted (y is in the
            // cache when it is written, so none is read unasked)
  kRead,    // the sum of x
};

// Returns the bytes per second over fp32 arrays that fill `bytes`: the best of a few rounds, since
// other processes only ever slow it down. Takes about a third of a second. REQUIRES: bytes is
// several times the size of the caches, and there is that much memory.
double measure_bandwidth(const Executor& executor, Traffic traffic, size_t bytes);

// Returns the bandwidth of the calling thread alone, by its computing time, for arrays of any size:
// the bandwidth of memory where `bytes` is much larger than the caches, otherwise that of the cache
// that holds the arrays. REQUIRES: bytes is 8 or more, and there is that much memory.
double measure_thread_bandwidth(Traffic traffic, size_t bytes);

}  // namespace weft
