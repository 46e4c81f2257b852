#include "app/cli/rank_failures.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "comm/single_process.h"
#include "support/error_of.h"
#include "support/thread_ranks.h"

namespace weft {
namespace {

// What each rank returns, or "thrown: " and what leaves the function.
std::vector<std::string> ends_of(int ranks, const std::function<int(Communicator&)>& work) {
  std::vector<std::string> ends(static_cast<size_t>(ranks));
  try {
    run_ranks(ranks, [&](Communicator& c) {
      std::string& end = ends[size_t(c.rank())];
      try {
        end = std::to_string(run_as_rank(c, [&] { return work(c); }));
      } catch (const std::exception& error) {
        end = std::string("thrown: ") + error.what();
      }
    });
  } catch (const Error&) {
  }
  return ends;
}

TEST(RankFailures, WithoutFailuresTheStatusIsTheWorks) {
  EXPECT_EQ(ends_of(3, [](Communicator& c) { return 140 + c.rank(); }),
            (std::vector<std::string>{"140", "141", "142"}));
}

TEST(RankFailures, AnErrorOfAllRanksIsToldOnce) {
  testing::internal::CaptureStderr();

  const auto ends =
      ends_of(3, [](Communicator&) -> int { throw input_error("data", "no").on_all_ranks(); });

  EXPECT_EQ(ends, (std::vector<std::string>{"2", "2", "2"}));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "weft: error: [data] no\n");
}

// The others wait in a collective meanwhile, and must not wait for ever.
TEST(RankFailures, AnErrorOfOneRankNamesItAndEndsAll) {
  testing::internal::CaptureStderr();

  const auto ends = ends_of(3, [](Communicator& c) -> int {
    if (c.rank() == 1) throw failure("exchange3/sum", "the line is cut");
    c.barrier();
    return 0;
  });

  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(ends[1], "1");
  EXPECT_TRUE(mentions(told, {"weft: error: rank 1 on thread1: [exchange3/sum] the line is cut"}));
}

TEST(RankFailures, OneRankAloneIsAProcessAsEver) {
  SingleProcess alone;

  EXPECT_EQ(error_of([&] { run_as_rank(alone, []() -> int { throw failure("op", "no"); }); }),
            "[op] no");
}

}  // namespace
}  // namespace weft
