#include "comm/communicator.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "comm/agreement.h"
#include "comm/communicator_cases.h"
#include "comm/connect.h"
#include "comm/single_process.h"
#include "support/error_of.h"
#include "support/thread_ranks.h"

namespace weft {
namespace {

TEST(SingleProcess, PassesTheCasesOfEveryCommunicator) {
  SingleProcess alone;

  EXPECT_EQ(error_of([&] { check_communicator(alone); }), "");
}

// Other tests use this communicator. MPI's has a program of its own, which mpirun starts.
TEST(ThreadRanks, PassTheCasesOfEveryCommunicator) {
  for (const int ranks : {1, 2, 3, 4}) {
    EXPECT_EQ(error_of([&] { run_ranks(ranks, check_communicator); }), "");
  }
}

TEST(ThreadRanks, ReportCallsThatDoNotMatch) {
  const std::string error = error_of([] {
    run_ranks(2, [](Communicator& c) {
      std::vector<float> values(3);
      Request request = c.rank() == 0 ? c.begin_all_reduce(values) : c.begin_broadcast(values, 0);
      while (!request.test()) std::this_thread::yield();
    });
  });

  EXPECT_TRUE(mentions(error, {"all-reduce 3", "broadcast 3 from 0"}));
}

TEST(Connect, WithoutALauncherThereIsOneRank) {
  const std::unique_ptr<Communicator> communicator = connect();

  EXPECT_EQ(communicator->size(), 1);
  EXPECT_EQ(communicator->rank(), 0);
}

// The error that on_all_ranks throws on each rank.
std::vector<std::string> errors_of(int ranks, const std::function<void(int rank)>& work) {
  std::vector<std::string> errors(static_cast<size_t>(ranks));
  run_ranks(ranks, [&](Communicator& c) {
    try {
      on_all_ranks(c, [&] { work(c.rank()); });
    } catch (const Error& error) {
      errors[size_t(c.rank())] =
          std::string(error.is_on_all_ranks() ? "all: " : "one: ") + error.what();
    }
  });
  return errors;
}

TEST(OnAllRanks, ThrowsNothingIfNoRankFails) {
  EXPECT_EQ(errors_of(3, [](int) {}), std::vector<std::string>(3, ""));
}

TEST(OnAllRanks, ThrowsOnAllRanksIfOneFailsAndNamesIt) {
  const auto errors = errors_of(3, [](int rank) {
    if (rank == 1) throw input_error("data", "there is no x.bin", "look for it");
  });

  EXPECT_EQ(errors, std::vector<std::string>(
                        3, "all: [data] rank 1 on thread1: there is no x.bin; look for it"));
}

TEST(OnAllRanks, NamesNoRankIfAllFailAlike) {
  const auto errors = errors_of(3, [](int) { throw input_error("data", "there is no x.bin"); });

  EXPECT_EQ(errors, std::vector<std::string>(3, "all: [data] there is no x.bin"));
}

TEST(RequireSame, NamesTheFactTheValuesAndTheRanks) {
  const std::string error = error_of([] {
    run_ranks(3, [](Communicator& c) {
      require_same(c, {{"--seed", "42"}, {"--lr", c.rank() == 2 ? "0.1" : "0.001"}});
    });
  });

  EXPECT_TRUE(mentions(error, {"--lr is 0.001 on rank 0 on thread0 and 0.1 on rank 2 on thread2"}));
}

TEST(RequireSame, AcceptsEqualFacts) {
  EXPECT_EQ(error_of([] {
              run_ranks(3, [](Communicator& c) { require_same(c, {{"--seed", "42"}}); });
            }),
            "");
}

}  // namespace
}  // namespace weft
