#include "parallel/update_shares.h"

#include <gtest/gtest.h>

#include <numeric>

#include "comm/recording_communicator.h"
#include "model/tiled_parameters.h"

namespace weft {
namespace {

constexpr Config kModel = {.L = 2, .NH = 2, .C = 128, .T = 64, .V = 1000};
constexpr int kRanks = 3;

class UpdateSharesTest : public testing::Test {
 protected:
  UpdateShares shares_of(Updaters updaters, int rank) const {
    const RecordingCommunicator communicator(rank, kRanks);
    return {buckets_, updaters, communicator};
  }

  ParameterTable table_{kModel};
  Arena arena_;
  TileTable tiles_;
  Tiling tiling_ = choose_tiling(kModel, 3, 7);
  TiledParameters weights_{
      tiles_, "weights/", {&table_, arena_.vector<float>(table_.buffer_size())}, tiling_};
  Buckets buckets_{weights_, 100'000};
};

TEST_F(UpdateSharesTest, EveryUnitIsUpdatedOnceUnlessEveryRankUpdatesAll) {
  for (const Updaters updaters : {Updaters::kEveryRank, Updaters::kShares, Updaters::kRank0}) {
    std::vector<int> times(buckets_.units().size(), 0);
    double share = 0.;
    for (int rank = 0; rank < kRanks; ++rank) {
      const UpdateShares shares = shares_of(updaters, rank);
      for (size_t b = 0; b < buckets_.all().size(); ++b) {
        const Range units = shares.my_units(b);
        for (int64_t u = units.begin; u < units.end; ++u) ++times[size_t(u)];
      }
      share += shares.state_share();
    }
    const int expected = updaters == Updaters::kEveryRank ? kRanks : 1;
    EXPECT_EQ(times, std::vector<int>(times.size(), expected));
    EXPECT_NEAR(share, expected, 1e-12);
  }
}

TEST_F(UpdateSharesTest, RankZeroOfAServerUpdatesEverything) {
  EXPECT_EQ(shares_of(Updaters::kRank0, 0).state_share(), 1.);
  EXPECT_EQ(shares_of(Updaters::kRank0, 1).state_share(), 0.);
}

// A checkpoint fetches one tensor after the other.
TEST_F(UpdateSharesTest, KeepersOfATensorAreThoseThatUpdateIt) {
  const UpdateShares shares = shares_of(Updaters::kShares, 1);
  for (const Parameter& p : table_.all()) {
    int64_t elements = 0, mine = 0;
    for (const UpdateShares::Keepers& run : shares.keepers_of({p.offset, p.offset + p.size()})) {
      ASSERT_EQ(run.counts.size(), size_t(kRanks));
      elements += std::accumulate(run.counts.begin(), run.counts.end(), int64_t{0});
      mine += run.counts[1];
      for (size_t b = 0; b < buckets_.all().size(); ++b) {
        const Range share = shares.my_share(b);
        const int64_t begin = run.begin + run.counts[0];
        if (run.counts[1] > 0 && share.begin <= begin && begin < share.end) {
          EXPECT_LE(begin + run.counts[1], share.end);
          mine -= run.counts[1];
        }
      }
    }
    EXPECT_EQ(elements, p.size()) << p.name;
    EXPECT_EQ(mine, 0) << p.name << ": a run is outside of this rank's share";
  }
}

}  // namespace
}  // namespace weft
