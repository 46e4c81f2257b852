// Launcher: whether mpirun or srun started this process, and as one of how many.
#pragma once

#include <string>

namespace weft {

struct Launch {
  std::string launcher;  // "mpirun (Open MPI)"; empty if this process was started by itself
  int size = 1;          // ranks, where the launcher says; else 1
  bool has_mpi = false;  // the launcher speaks to an MPI library
};

// From the environment. MPI is asked for nothing, so that a run without ranks does not pay for it.
Launch find_launch();

std::string host_name();

}  // namespace weft
