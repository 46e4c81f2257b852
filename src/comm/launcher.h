// Launcher: what mpirun or srun says in the environment about the ranks that it started.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

namespace weft {

// Looks up an environment variable; null if it is not set.
using Environment = std::function<const char*(const char* name)>;

// This process's own variables.
const char* own_variable(const char* name);

struct Launch {
  std::string launcher;  // "mpirun (Open MPI)"; empty if no launcher started this process
  int size = 1;          // number of ranks; 1 if the launcher does not say
  bool has_mpi = false;  // the launcher can connect the ranks of an MPI library
};

// Reads the environment and calls no MPI function, so that a run without ranks need not
// initialize MPI.
Launch find_launch(const Environment& environment = own_variable);

// Ranks as the launcher counts them. A member is empty if no launcher started this process, or if
// the launcher does not say.
struct LaunchedRanks {
  std::optional<int> rank;
  std::optional<int> ranks;
  std::optional<int> ranks_here;  // on this machine
};
LaunchedRanks launched_ranks(const Environment& environment = own_variable);

// All variables that launched_ranks() reads.
std::span<const char* const> launcher_variables();

// The number of tasks on a node, from a list as Slurm writes it: "4(x2),1" means 4, 4 and 1. Empty
// if the list does not reach that node.
std::optional<int> tasks_of_node(const std::string& text, int node);

std::string host_name();

}  // namespace weft
