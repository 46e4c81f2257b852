#include "comm/transfer_times.h"

#include <gtest/gtest.h>

#include "support/error_of.h"

namespace weft {
namespace {

double seconds(Collective collective, int64_t bytes, const Network& network) {
  return transfer_seconds({collective, bytes}, network);
}

// Four ranks, 1 s per message, 100 bytes per second.
Network four() { return {.ranks = 4, .latency_s = 1., .bytes_per_s = 100.}; }

// 400 bytes are four parts of 100. The sums take three steps of 1 + 1 s, the results as many again.
TEST(TransferTimes, FollowTheFormulaOfARing) {
  EXPECT_DOUBLE_EQ(seconds(Collective::kExchange, 400, four()), 6.);
  EXPECT_DOUBLE_EQ(seconds(Collective::kAllGather, 400, four()), 6.);
  EXPECT_DOUBLE_EQ(seconds(Collective::kAllReduce, 400, four()), 12.);
}

// Three messages of 1 + 4 s pass one link; in a tree, two messages follow each other.
TEST(TransferTimes, FollowTheFormulaOfARoot) {
  Network network = four();
  EXPECT_DOUBLE_EQ(seconds(Collective::kReduce, 400, network), 15.);
  network.root = RootTransfers::kTree;
  EXPECT_DOUBLE_EQ(seconds(Collective::kBroadcast, 400, network), 10.);
}

// 640 KiB in ten pieces: the last one leaves after nine others and passes two more ranks.
TEST(TransferTimes, AChainPassesPiecesOn) {
  Network network{.ranks = 4, .latency_s = 1., .bytes_per_s = 65536.};
  network.root = RootTransfers::kChain;

  EXPECT_DOUBLE_EQ(seconds(Collective::kBroadcast, 655360, network), 12. * (1. + 1.));
}

TEST(TransferTimes, GrowWithTheRanksForARootAndHardlyForARing) {
  Network few{.ranks = 3, .bytes_per_s = 100.}, many{.ranks = 9, .bytes_per_s = 100.};

  EXPECT_DOUBLE_EQ(seconds(Collective::kReduce, 900, many) / seconds(Collective::kReduce, 900, few),
                   4.);
  EXPECT_DOUBLE_EQ(seconds(Collective::kAllReduce, 900, few), 2. * 2. / 3. * 9.);
  EXPECT_DOUBLE_EQ(seconds(Collective::kAllReduce, 900, many), 2. * 8. / 9. * 9.);
}

TEST(TransferTimes, UseTheShareOfTheLinkThatTheLibraryReaches) {
  Network network{.ranks = 2, .bytes_per_s = 100.};
  network.shares[Collective::kAllGather] = 0.5;

  EXPECT_DOUBLE_EQ(seconds(Collective::kAllGather, 200, network), 2.);
  EXPECT_DOUBLE_EQ(seconds(Collective::kExchange, 200, network), 1.);
}

TEST(TransferTimes, AreZeroForOneRank) {
  EXPECT_EQ(seconds(Collective::kAllReduce, 400, {.ranks = 1, .latency_s = 1., .bytes_per_s = 1.}),
            0.);
}

TEST(TransferTimes, KnowThreeWaysToARoot) {
  EXPECT_EQ(parse_root_transfers("chain"), RootTransfers::kChain);
  EXPECT_TRUE(mentions(error_of([] { parse_root_transfers("star"); }), {"star", "direct"}));
}

}  // namespace
}  // namespace weft
