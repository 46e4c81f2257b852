#include "comm/launcher.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace weft {
namespace {

// In this order: Open MPI's mpirun sets PMIX_RANK as well, and Slurm's variables are inherited by
// an mpirun that runs inside of a job.
struct Sign {
  const char* rank;  // set for a process that it started
  const char* size;
  const char* launcher;
  bool has_mpi;
};
constexpr std::array<Sign, 4> kSigns = {
    {{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "mpirun (Open MPI)", true},
     {"PMI_RANK", "PMI_SIZE", "mpirun (MPICH) or srun --mpi=pmi2", true},
     {"PMIX_RANK", "SLURM_STEP_NUM_TASKS", "a PMIx launcher", true},
     // A batch script has SLURM_PROCID too, but is no task of a step.
     {"SLURM_STEP_ID", "SLURM_STEP_NUM_TASKS", "srun without --mpi", false}}};

int number(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : 0;
}

}  // namespace

Launch find_launch() {
  for (const Sign& sign : kSigns) {
    if (std::getenv(sign.rank) == nullptr) continue;
    const int size = number(sign.size);
    return {sign.launcher, size > 0 ? size : 1, sign.has_mpi};
  }
  return {};
}

std::string host_name() {
  std::array<char, 256> name = {};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown host";
  return name.data();
}

}  // namespace weft
