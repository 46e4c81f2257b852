#include "comm/launcher.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <initializer_list>
#include <sstream>

#include "base/system_files.h"

namespace weft {
namespace {

// How to recognise a launcher. The order matters: Open MPI's mpirun sets PMIX_RANK as well, and an
// mpirun inside of a Slurm job inherits Slurm's variables.
struct Sign {
  const char* rank;  // set in every process that it started
  const char* size;
  const char* launcher;
  bool has_mpi;
};
constexpr std::array<Sign, 4> kSigns = {
    {{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "mpirun (Open MPI)", true},
     {"PMI_RANK", "PMI_SIZE", "mpirun (MPICH) or srun --mpi=pmi2", true},
     {"PMIX_RANK", "SLURM_STEP_NUM_TASKS", "a PMIx launcher", true},
     // A batch script has SLURM_PROCID as well, but is not a task of a step.
     {"SLURM_STEP_ID", "SLURM_STEP_NUM_TASKS", "srun without --mpi", false}}};

constexpr const char* kVariables[] = {
    "PMI_RANK",
    "PMI_SIZE",
    "PMIX_RANK",
    "MPI_LOCALNRANKS",
    "OMPI_COMM_WORLD_RANK",
    "OMPI_COMM_WORLD_SIZE",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "SLURM_PROCID",
    "SLURM_NODEID",
    "SLURM_STEP_NUM_TASKS",
    "SLURM_STEP_TASKS_PER_NODE",
};

std::optional<int> number(const Environment& environment, const char* name) {
  const char* text = environment(name);
  return text == nullptr ? std::nullopt : leading_number<int>(text);
}

// mpirun's variables come before Slurm's: under Slurm, mpirun starts one process per node by srun,
// and its ranks inherit the variables of that process.
std::optional<int> first_number(const Environment& environment,
                                std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const std::optional<int> value = number(environment, name)) return value;
  }
  return std::nullopt;
}

std::optional<int> rank_of(const Environment& environment) {
  const auto rank = first_number(environment, {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"});
  if (rank) return rank;
  // A batch script has SLURM_PROCID as well, but is not a rank.
  return number(environment, "SLURM_STEP_NUM_TASKS") ? number(environment, "SLURM_PROCID")
                                                     : std::nullopt;
}

std::optional<int> ranks_here_of(const Environment& environment) {
  const auto ranks = first_number(environment, {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"});
  if (ranks) return ranks;
  const char* tasks = environment("SLURM_STEP_TASKS_PER_NODE");
  if (tasks == nullptr) return std::nullopt;
  return tasks_of_node(tasks, number(environment, "SLURM_NODEID").value_or(0));
}

}  // namespace

const char* own_variable(const char* name) { return std::getenv(name); }

Launch find_launch(const Environment& environment) {
  for (const Sign& sign : kSigns) {
    if (environment(sign.rank) == nullptr) continue;
    const int size = number(environment, sign.size).value_or(1);
    return {sign.launcher, size > 0 ? size : 1, sign.has_mpi};
  }
  return {};
}

LaunchedRanks launched_ranks(const Environment& environment) {
  return {rank_of(environment),
          first_number(environment, {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}),
          ranks_here_of(environment)};
}

std::span<const char* const> launcher_variables() { return kVariables; }

std::optional<int> tasks_of_node(const std::string& text, int node) {
  std::istringstream groups(text);
  for (std::string group; std::getline(groups, group, ',');) {
    const size_t times = group.find("(x");
    const int nodes =
        times == group.npos ? 1 : leading_number<int>(group.substr(times + 2)).value_or(1);
    if (node < nodes) return leading_number<int>(group);
    node -= nodes;
  }
  return std::nullopt;
}

std::string host_name() {
  std::array<char, 256> name = {};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown host";
  return name.data();
}

}  // namespace weft
