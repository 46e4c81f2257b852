// ThreadRanks: several ranks in one process, each on a thread, for tests without a launcher.
#pragma once

#include <functional>
#include <memory>

#include "comm/communicator.h"

namespace weft {

// Runs body(communicator) once per rank, on all ranks at the same time, and returns when all have
// ended. Sums are added in the order of the ranks. If bodies throw, the first error in time is
// rethrown, and the collectives of the other ranks fail.
void run_ranks(int ranks, const std::function<void(Communicator&)>& body);

}  // namespace weft
