#include "comm/recording_communicator.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/error_of.h"

namespace weft {
namespace {

TEST(RecordingCommunicator, RecordsTransfersAndEndsThemAtOnce) {
  RecordingCommunicator rank(1, 4);
  std::vector<float> values(6, 1.f);
  std::vector<double> doubles(3, 1.);

  EXPECT_TRUE(rank.begin_all_reduce(Vector<float>(values)).test());
  rank.begin_all_reduce(Vector<double>(doubles));
  rank.begin_exchange(values, {2, 2, 1, 1}, Vector<float>(), {1, 1, 1, 1});
  rank.begin_broadcast(values, 0);
  const std::vector<RecordedTransfer> recorded = rank.take();

  ASSERT_EQ(recorded.size(), 4u);
  EXPECT_EQ(recorded[0].collective, Collective::kAllReduce);
  EXPECT_EQ(recorded[0].bytes, 24);
  EXPECT_EQ(recorded[1].bytes, 24);
  EXPECT_EQ(recorded[2].collective, Collective::kExchange);
  EXPECT_EQ(recorded[2].bytes, 24);
  EXPECT_EQ(recorded[3].collective, Collective::kBroadcast);
  EXPECT_EQ(values, std::vector<float>(6, 1.f));
  EXPECT_TRUE(rank.take().empty());
}

TEST(RecordingCommunicator, IsOneOfManyRanksAndRefusesToBlock) {
  RecordingCommunicator rank(1, 4);

  EXPECT_EQ(rank.rank(), 1);
  EXPECT_EQ(rank.size(), 4);
  EXPECT_TRUE(mentions(error_of([&] { rank.barrier(); }), {"no other ranks"}));
  EXPECT_TRUE(mentions(error_of([&] { rank.broadcast("x"); }), {"no other ranks"}));
  EXPECT_TRUE(mentions(error_of([&] { RecordingCommunicator(4, 4); }), {"rank < size"}));
}

}  // namespace
}  // namespace weft
