// connect: returns the communicator for the way in which this process was started.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "comm/communicator.h"

namespace weft {

// The default number of elements per MPI call. MPI counts elements in ints, and libraries sometimes
// count bytes in ints inside: this many floats fit both.
inline constexpr int64_t kLargestCount = int64_t{1} << 28;

// Connects the ranks that mpirun or srun started, or returns a communicator of this process alone.
// MPI is initialized only if there are ranks, and finalized by the communicator's destructor. Call
// it once, from the main thread.
// largest_count: the most elements of one MPI call; longer transfers become several calls.
// Throws Error (kInput) if several ranks were started that cannot be connected.
std::unique_ptr<Communicator> connect(int64_t largest_count = kLargestCount);

// Name and version of the MPI library: "Open MPI 4.1.4", or "none".
std::string mpi_library();

}  // namespace weft
