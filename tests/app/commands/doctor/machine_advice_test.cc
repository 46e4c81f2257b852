#include "app/commands/doctor/machine_advice.h"

#include <gtest/gtest.h>

#include <string>

#include "support/error_of.h"

namespace weft {
namespace {

// A machine about which there is nothing to say.
MachineFacts good_machine() {
  MachineFacts facts;
  facts.is_x86 = true;
  facts.vector_units = {"AVX2", "AVX-512", "AVX512-BF16"};
  facts.cores = facts.cpus = facts.usable_cpus = 8;
  facts.memory_bytes = facts.available_bytes = 16'000'000'000;
  facts.huge_pages = "madvise";
  facts.governor = "performance";
  return facts;
}

// All of the advice, a line each; threads: as many as CPUs may be used.
std::string advice(const MachineFacts& facts, int threads = 0) {
  std::string text;
  for (const Advice& a : advise(facts, threads == 0 ? facts.usable_cpus : threads)) {
    text += a.what + " -> " + a.hint + "\n";
  }
  return text;
}

TEST(MachineAdvice, IsSilentWhereNothingCostsSpeed) { EXPECT_EQ(advice(good_machine()), ""); }

TEST(MachineAdvice, SeesThatMpirunBoundARankToOneCore) {
  MachineFacts facts = good_machine();
  facts.usable_cpus = 1;
  facts.environment = {{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};

  EXPECT_TRUE(mentions(advice(facts), {"2 ranks run here", "bound to 1 of 8 CPUs",
                                       "--map-by slot:PE=4 --bind-to core"}));
  // More threads do not help, and fewer would be the wrong remedy.
  EXPECT_EQ(advice(facts, 4), advice(facts, 1));
  facts.usable_cpus = 4;  // its share
  EXPECT_EQ(advice(facts), "");
}

TEST(MachineAdvice, SeesTheOneCoreOfASingleRankOnAHost) {
  MachineFacts facts = good_machine();
  facts.cores = 4;  // of two threads each
  facts.usable_cpus = 2;
  facts.environment = {{"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"}};

  EXPECT_TRUE(mentions(advice(facts), {"1 rank runs here", "bound to 2 of 8 CPUs",
                                       "--map-by slot:PE=4 --bind-to core"}));
}

TEST(MachineAdvice, KnowsRanksOfSlurmAndDoesNotTakeAllRanksForThoseOfThisMachine) {
  MachineFacts facts = good_machine();
  facts.usable_cpus = 1;
  facts.environment = {{"SLURM_STEP_TASKS_PER_NODE", "2(x3)"}};
  EXPECT_TRUE(mentions(advice(facts), {"2 ranks run here", "srun --cpus-per-task=4"}));

  facts = good_machine();
  facts.environment = {{"PMI_SIZE", "64"}};
  EXPECT_EQ(advice(facts), "");
}

TEST(MachineAdvice, SeesAnAffinityMaskWithoutMpi) {
  MachineFacts facts = good_machine();
  facts.usable_cpus = 7;

  EXPECT_TRUE(mentions(advice(facts), {"7 of 8 CPUs", "affinity mask", "taskset"}));
}

TEST(MachineAdvice, SeesMoreThreadsThanCpus) {
  EXPECT_TRUE(mentions(advice(good_machine(), 9), {"9 threads share 8 CPUs", "--threads 8"}));
}

TEST(MachineAdvice, SeesRanksThatShareAllCpus) {
  MachineFacts facts = good_machine();
  facts.environment = {{"OMPI_COMM_WORLD_LOCAL_SIZE", "3"}};

  EXPECT_TRUE(mentions(advice(facts), {"3 ranks of 8 threads each share 8 CPUs", "--threads 2"}));
  EXPECT_EQ(advice(facts, 2), "");
  facts.environment = {{"OMPI_COMM_WORLD_LOCAL_SIZE", "9"}};
  EXPECT_TRUE(mentions(advice(facts, 1), {"9 ranks of 1 thread each", "start fewer ranks"}));
}

TEST(MachineAdvice, SeesTooManyThreadsOfARankThatHasItsShare) {
  MachineFacts facts = good_machine();
  facts.environment = {{"MPI_LOCALNRANKS", "1"}};
  EXPECT_TRUE(mentions(advice(facts, 9), {"9 threads share 8 CPUs", "--threads 8"}));

  facts.environment = {{"MPI_LOCALNRANKS", "2"}};
  facts.usable_cpus = 4;
  EXPECT_TRUE(mentions(advice(facts, 5), {"2 ranks of 5 threads", "--threads 4"}));
}

TEST(MachineAdvice, SeesAQuotaBelowTheThreads) {
  MachineFacts facts = good_machine();
  facts.cpu_quota = 2.5;

  EXPECT_TRUE(mentions(advice(facts), {"2.5 CPUs", "8 threads", "--threads 2"}));
  EXPECT_EQ(advice(facts, 2), "");
  facts.cpu_quota = 0.5;
  EXPECT_TRUE(mentions(advice(facts), {"--threads 1"}));
}

TEST(MachineAdvice, SeesOpenmpVariablesThatDoNotDoWhatTheySeemTo) {
  const auto with = [](const char* name, const char* value) {
    MachineFacts facts = good_machine();
    facts.environment = {{name, value}};
    return advice(facts);
  };

  EXPECT_TRUE(mentions(with("OMP_NUM_THREADS", "4"), {"no effect", "--threads 4"}));
  EXPECT_EQ(with("OMP_NUM_THREADS", "8"), "");
  EXPECT_EQ(with("OMP_NUM_THREADS", "many"), "");
  EXPECT_TRUE(mentions(with("OMP_THREAD_LIMIT", "4"), {"OMP_THREAD_LIMIT=4"}));
  EXPECT_TRUE(mentions(with("OMP_DYNAMIC", "TRUE"), {"OMP_DYNAMIC"}));
  EXPECT_TRUE(mentions(with("OMP_PROC_BIND", "master"), {"one place"}));
  EXPECT_EQ(with("OMP_PROC_BIND", "close"), "");
  EXPECT_TRUE(mentions(with("OMP_PLACES", "{0},{1}"), {"2 places for 8 threads"}));
  EXPECT_EQ(with("OMP_PLACES", "{0}:8"), "");
  EXPECT_EQ(with("OMP_PLACES", "cores"), "");
}

TEST(MachineAdvice, SeesOtherProcesses) {
  MachineFacts facts = good_machine();
  facts.load = 3.2;

  EXPECT_TRUE(mentions(advice(facts), {"a load of 3.2 on 8 CPUs"}));
  EXPECT_EQ(advice(facts, 5), "");
}

TEST(MachineAdvice, SeesWhatTheMachineLacks) {
  MachineFacts facts = good_machine();
  facts.vector_units = {};
  facts.governor = "powersave";
  facts.huge_pages = "never";
  facts.available_bytes = 1'500'000'000;

  EXPECT_TRUE(mentions(advice(facts), {"no AVX2", "no bf16", "powersave", "huge pages are off",
                                       "only 1.50 GB of memory"}));
  facts = good_machine();
  facts.is_x86 = false;
  facts.vector_units = {};
  EXPECT_EQ(advice(facts).find("AVX2"), std::string::npos);
}

}  // namespace
}  // namespace weft
