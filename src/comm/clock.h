// Clock: what the ranks' clocks have to do with each other.
#pragma once

#include <cstdint>

#include "comm/communicator.h"

namespace weft {

// How much this rank's steady clock is ahead of rank 0's, in nanoseconds: 0 on the same host, else
// an estimate, off by about half the time of a small message at most. A collective.
int64_t clock_ahead_ns(Communicator& communicator);

}  // namespace weft
