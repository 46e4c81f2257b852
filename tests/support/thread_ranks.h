// ThreadRanks: several ranks in one process, a thread each, for tests that need no launcher.
#pragma once

#include <functional>
#include <memory>

#include "comm/communicator.h"

namespace weft {

// Runs body(communicator) once per rank, all at the same time, and returns when all have ended.
// Sums are added in the order of the ranks. If bodies throw, the first error in time is
// rethrown, and the collectives of the others fail.
void run_ranks(int ranks, const std::function<void(Communicator&)>& body);

}  // namespace weft
