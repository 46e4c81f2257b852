// RankFailures: an error on a rank ends the run on all of them, and is told once.
#pragma once

#include <functional>

#include "comm/communicator.h"

namespace weft {

// Returns the exit status of `work`. An error that all ranks throw leaves this function on rank 0
// alone; the others return its status. One that this rank has alone is printed, with the rank and
// its host, and ends the processes of all.
int run_as_rank(Communicator& communicator, const std::function<int()>& work);

}  // namespace weft
