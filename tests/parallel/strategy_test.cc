#include "parallel/strategy.h"

#include <gtest/gtest.h>

#include "comm/single_process.h"
#include "support/error_of.h"

namespace weft {
namespace {

TEST(Strategies, HaveNamesAndTraits) {
  EXPECT_EQ(strategy_names(), (std::vector<std::string>{"all-reduce", "sharded", "server"}));
  EXPECT_EQ(strategy_traits("all-reduce").updaters, Updaters::kEveryRank);
  EXPECT_EQ(strategy_traits("sharded").updaters, Updaters::kShares);
  EXPECT_EQ(strategy_traits("server").updaters, Updaters::kRank0);
  EXPECT_FALSE(strategy_traits("sharded").library_sums);
}

TEST(Strategies, AreMadeForACommunicator) {
  SingleProcess alone;
  for (const StrategyTraits& traits : strategies()) {
    const std::unique_ptr<Strategy> strategy = traits.make(alone);
    std::vector<float> values(8, 1.f);
    EXPECT_TRUE(strategy->begin_spread_weights(values, {8}).test()) << traits.name;
  }
}

TEST(Strategies, RefuseAnotherNameWithAList) {
  EXPECT_TRUE(mentions(error_of([] { strategy_traits("gossip"); }),
                       {"unknown strategy 'gossip'", "use all-reduce, sharded or server"}));
}

}  // namespace
}  // namespace weft
