#include "comm/launcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>

namespace weft {
namespace {

using Variables = std::map<std::string, std::string>;

// REQUIRES: the variables outlive the result.
Environment environment_of(const Variables& variables) {
  return [&variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

TEST(FindLaunch, NamesTheLauncherAndItsNumberOfRanks) {
  const Variables open_mpi = {
      {"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"PMIX_RANK", "1"}};
  EXPECT_EQ(find_launch(environment_of(open_mpi)).launcher, "mpirun (Open MPI)");
  EXPECT_EQ(find_launch(environment_of(open_mpi)).size, 4);
  EXPECT_TRUE(find_launch(environment_of(open_mpi)).has_mpi);

  const Variables srun = {{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "8"}};
  EXPECT_EQ(find_launch(environment_of(srun)).launcher, "srun without --mpi");
  EXPECT_EQ(find_launch(environment_of(srun)).size, 8);
  EXPECT_FALSE(find_launch(environment_of(srun)).has_mpi);
}

TEST(FindLaunch, TakesAProcessAloneForOneRank) {
  const Variables none = {}, batch_script = {{"SLURM_PROCID", "0"}};
  for (const Variables* variables : {&none, &batch_script}) {
    const Launch launch = find_launch(environment_of(*variables));

    EXPECT_EQ(launch.launcher, "");
    EXPECT_EQ(launch.size, 1);
  }
}

TEST(FindLaunch, TakesASizeThatIsMissingOrNoNumberForOne) {
  for (const char* size : {"", "many", "0", "-2"}) {
    const Variables variables = {{"PMI_RANK", "0"}, {"PMI_SIZE", size}};

    EXPECT_EQ(find_launch(environment_of(variables)).size, 1) << size;
  }
}

// Variables that launchers were seen to set for rank 3 of 4 on the second of two hosts.
TEST(LaunchedRanks, AreTheSameFromEveryLauncher) {
  const Variables launchers[] = {
      {{"OMPI_COMM_WORLD_RANK", "3"},
       {"OMPI_COMM_WORLD_SIZE", "4"},
       {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
       {"SLURM_PROCID", "1"},  // of the processes that srun started for mpirun
       {"SLURM_STEP_NUM_TASKS", "2"},
       {"SLURM_STEP_TASKS_PER_NODE", "1(x2)"}},
      {{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}, {"MPI_LOCALNRANKS", "2"}},
      {{"SLURM_PROCID", "3"},
       {"SLURM_NODEID", "1"},
       {"SLURM_STEP_NUM_TASKS", "4"},
       {"SLURM_STEP_TASKS_PER_NODE", "2(x2)"}},
  };
  for (const Variables& variables : launchers) {
    const LaunchedRanks launched = launched_ranks(environment_of(variables));

    EXPECT_EQ(launched.rank, 3);
    EXPECT_EQ(launched.ranks, 4);
    EXPECT_EQ(launched.ranks_here, 2);
  }
}

TEST(LaunchedRanks, DoNotCountABatchScript) {
  const Variables batch_script = {{"SLURM_PROCID", "0"}, {"SLURM_NODEID", "0"}};

  const LaunchedRanks launched = launched_ranks(environment_of(batch_script));

  EXPECT_EQ(launched.rank, std::nullopt);
  EXPECT_EQ(launched.ranks, std::nullopt);
  EXPECT_EQ(launched.ranks_here, std::nullopt);
}

TEST(LaunchedRanks, ReadOnlyTheListedVariables) {
  const auto listed = launcher_variables();
  launched_ranks([&](const char* name) {
    EXPECT_EQ(std::ranges::count(listed, std::string(name)), 1) << name;
    return nullptr;
  });
}

TEST(TasksOfNode, KnowsWhatSlurmWrites) {
  EXPECT_EQ(tasks_of_node("2", 0), 2);
  EXPECT_EQ(tasks_of_node("4(x2),1", 0), 4);
  EXPECT_EQ(tasks_of_node("4(x2),1", 1), 4);
  EXPECT_EQ(tasks_of_node("4(x2),1", 2), 1);
  EXPECT_EQ(tasks_of_node("4(x2),1", 3), std::nullopt);
  EXPECT_EQ(tasks_of_node("", 0), std::nullopt);
  EXPECT_EQ(tasks_of_node("many", 0), std::nullopt);
}

}  // namespace
}  // namespace weft
