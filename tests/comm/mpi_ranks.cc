// Checks MPI's communicator on the ranks that mpirun starts: with the largest count that weft uses,
// or with one so small that transfers are cut into several calls, as counts beyond 2^31 are.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "comm/communicator_cases.h"
#include "comm/connect.h"
#include "support/error_of.h"

namespace weft {
namespace {

// MPI refuses a root that is not a rank. The caller that waits for the transfer gets the error and
// other transfers continue, whether this one began at once or after earlier ones had ended.
void check_errors(Communicator& c) {
  constexpr size_t kTransfers = 12;
  std::vector<std::vector<float>> values(kTransfers, std::vector<float>(1000, float(c.rank())));
  std::vector<Request> requests;
  for (size_t i = 0; i < kTransfers; ++i) {
    const bool refused = i == 0 || i == kTransfers - 2;
    requests.push_back(c.begin_broadcast(values[i], refused ? c.size() : 0));
  }
  for (size_t i = 0; i < kTransfers; ++i) {
    const std::string error = error_of([&] {
      while (!requests[i].test()) {
      }
    });
    const bool refused = i == 0 || i == kTransfers - 2;
    const std::string expected = rank_name(c) + ": broadcast failed: ";
    if (refused != (error.find(expected) != std::string::npos)) {
      throw failure("mpi_ranks", "transfer " + std::to_string(i) + ": '" + error + "'");
    }
    if (!refused && values[i][0] != 0.f) throw failure("mpi_ranks", "a broadcast did not arrive");
  }
}

}  // namespace
}  // namespace weft

// mpi_ranks EXPECTED_RANKS LARGEST_COUNT
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::unique_ptr<weft::Communicator> communicator = weft::connect(std::atoll(argv[2]));
  try {
    if (communicator->size() != std::atoi(argv[1])) {
      throw weft::failure("mpi_ranks", "mpirun started another number of ranks");
    }
    weft::check_communicator(*communicator);
    weft::check_errors(*communicator);
  } catch (const weft::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    communicator->end_all_ranks(1);
    return 1;
  }
  if (communicator->rank() == 0) std::puts(weft::mpi_library().c_str());
  return 0;
}
