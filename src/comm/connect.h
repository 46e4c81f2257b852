// Connect: from the way in which this process was started to its communicator.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "comm/communicator.h"

namespace weft {

// MPI counts in ints, and libraries at times in bytes inside: a quarter of 2^31 floats is below
// both.
inline constexpr int64_t kLargestCount = int64_t{1} << 28;

// The ranks that mpirun or srun started, or this process alone. MPI is initialized for ranks only,
// and finalized when the communicator ends. Call it once, from the main thread.
// largest_count: elements that one call of MPI is given; longer transfers become several calls.
// Throws Error (kInput): several ranks were started that cannot talk to each other.
std::unique_ptr<Communicator> connect(int64_t largest_count = kLargestCount);

// "Open MPI 4.1.4", or "none".
std::string mpi_library();

}  // namespace weft
