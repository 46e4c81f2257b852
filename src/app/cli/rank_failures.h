// run_as_rank: an error on one rank ends the run on all ranks and is printed once.
#pragma once

#include <functional>

#include "comm/communicator.h"

namespace weft {

// Returns the exit status of `work` after all ranks have ended and rank 0 has printed its messages,
// because a launcher kills the other ranks as soon as one rank ends with a status other than 0.
// Rank 0 prints an error that all ranks throw. An error on this rank alone is printed here, with
// the rank and its host, and ends the processes of all ranks. With a single rank, errors are
// rethrown.
int run_as_rank(Communicator& communicator, const std::function<int()>& work);

}  // namespace weft
