#include "comm/imagined_rank.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/error_of.h"

namespace weft {
namespace {

TEST(ImaginedRank, NotesTransfersAndEndsThemAtOnce) {
  ImaginedRank rank(1, 4);
  std::vector<float> values(6, 1.f);
  std::vector<double> doubles(3, 1.);

  EXPECT_TRUE(rank.begin_all_reduce(Vector<float>(values)).test());
  rank.begin_all_reduce(Vector<double>(doubles));
  rank.begin_exchange(values, {2, 2, 1, 1}, Vector<float>(), {1, 1, 1, 1});
  rank.begin_broadcast(values, 0);
  const std::vector<NotedTransfer> noted = rank.take();

  ASSERT_EQ(noted.size(), 4u);
  EXPECT_EQ(noted[0].collective, Collective::kAllReduce);
  EXPECT_EQ(noted[0].bytes, 24);
  EXPECT_EQ(noted[1].bytes, 24);
  EXPECT_EQ(noted[2].collective, Collective::kExchange);
  EXPECT_EQ(noted[2].bytes, 24);
  EXPECT_EQ(noted[3].collective, Collective::kBroadcast);
  EXPECT_EQ(values, std::vector<float>(6, 1.f));
  EXPECT_TRUE(rank.take().empty());
}

TEST(ImaginedRank, IsOneOfManyAndTalksToNobody) {
  ImaginedRank rank(1, 4);

  EXPECT_EQ(rank.rank(), 1);
  EXPECT_EQ(rank.size(), 4);
  EXPECT_TRUE(mentions(error_of([&] { rank.barrier(); }), {"nobody"}));
  EXPECT_TRUE(mentions(error_of([&] { rank.broadcast("x"); }), {"nobody"}));
  EXPECT_TRUE(mentions(error_of([&] { ImaginedRank(4, 4); }), {"one of all"}));
}

}  // namespace
}  // namespace weft
