// connect.h for a weft that is built without MPI.
#include <fmt/format.h>

#include "base/error.h"
#include "comm/connect.h"
#include "comm/launcher.h"
#include "comm/single_process.h"

namespace weft {

std::unique_ptr<Communicator> connect(int64_t) {
  const Launch launch = find_launch();
  if (launch.size > 1) {
    throw input_error(
        "comm",
        fmt::format("{} started {} ranks, and this weft was built without MPI", launch.launcher,
                    launch.size),
        "configure with -DWEFT_MPI=openmpi or -DWEFT_MPI=mpich, or start one process");
  }
  return std::make_unique<SingleProcess>();
}

std::string mpi_library() { return "none"; }

}  // namespace weft
