// clock_ahead_ns: the offset between the clocks of two ranks.
#pragma once

#include <cstdint>

#include "comm/communicator.h"

namespace weft {

// Returns by how many nanoseconds this rank's steady clock is ahead of rank 0's: 0 on the same
// host, else an estimate whose error is at most about half the time of a small message.
// A collective: all ranks call it together.
int64_t clock_ahead_ns(Communicator& communicator);

}  // namespace weft
