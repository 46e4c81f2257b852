// RankFailures: an error on a rank ends the run on all of them, and is told once.
#pragma once

#include <functional>

#include "comm/communicator.h"

namespace weft {

// Returns the exit status of `work`, on each rank when all have ended and rank 0 has told what it
// has to tell: a launcher kills the others once one rank has ended with another status than 0. An
// error that all ranks throw is printed by rank 0. One that this rank has alone is printed here,
// with the rank and its host, and ends the processes of all. A rank that is alone throws its
// errors.
int run_as_rank(Communicator& communicator, const std::function<int()>& work);

}  // namespace weft
