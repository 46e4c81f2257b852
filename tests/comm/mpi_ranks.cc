// Started by mpirun: checks MPI's communicator, once as weft uses it, and once with transfers so
// short that every longer one is cut into several calls, as counts beyond 2^31 are.
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "comm/communicator_cases.h"
#include "comm/connect.h"

// mpi_ranks EXPECTED_RANKS LARGEST_COUNT
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::unique_ptr<weft::Communicator> communicator = weft::connect(std::atoll(argv[2]));
  try {
    if (communicator->size() != std::atoi(argv[1])) {
      throw weft::failure("mpi_ranks", "mpirun started another number of ranks");
    }
    weft::check_communicator(*communicator);
  } catch (const weft::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    communicator->end_all_ranks(1);
    return 1;
  }
  if (communicator->rank() == 0) std::puts(weft::mpi_library().c_str());
  return 0;
}
