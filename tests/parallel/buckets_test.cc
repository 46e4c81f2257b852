#include "parallel/buckets.h"

#include <gtest/gtest.h>

#include <numeric>

#include "step/training_step.h"

namespace weft {
namespace {

struct Cut {
  explicit Cut(const Config& config, int64_t bucket_bytes = 4096,
               Buckets::Wte wte = Buckets::Wte::kLast)
      : state(config),
        tiling(choose_tiling(config, 3, 7)),
        weights(tiles, "weights/", state.weights, tiling),
        buckets(weights, bucket_bytes, wte) {}

  TrainingState state;
  Tiling tiling;
  TileTable tiles;
  TiledParameters weights;
  Buckets buckets;
};

constexpr Config kTiny = {.L = 2, .NH = 3, .C = 15, .T = 11, .V = 31};
constexpr Config kSmall = {.L = 2, .NH = 2, .C = 128, .T = 64, .V = 1000};

TEST(Buckets, UnitsCoverTheBufferAndStayInsideAParameter) {
  for (const Config& config : {kTiny, kSmall}) {
    const Cut cut(config);
    int64_t end = 0;
    for (const Unit& unit : cut.buckets.units()) {
      const Parameter& p = cut.state.table->all()[unit.parameter];
      EXPECT_EQ(unit.elements.begin, end);
      EXPECT_GE(unit.elements.begin, p.offset + unit.rows.begin * p.cols);
      EXPECT_LT(unit.elements.begin, p.offset + unit.rows.end * p.cols);
      end = unit.elements.end;
    }
    EXPECT_EQ(end, cut.state.table->buffer_size());
  }
}

TEST(Buckets, FollowBackwardFromTheEndOfTheBuffer) {
  const Cut cut(kSmall, 100'000);
  int64_t begin = cut.state.table->buffer_size();
  EXPECT_GT(cut.buckets.all().size(), 5u);
  for (const Bucket& bucket : cut.buckets.all()) {
    EXPECT_EQ(bucket.elements.end, begin);
    begin = bucket.elements.begin;
    if (begin > 0) {
      EXPECT_GE(bucket.elements.size() * 4, 100'000);
    }
  }
  EXPECT_EQ(begin, 0);
}

TEST(Buckets, OfWteComeFirstAndAlone) {
  const Cut cut(kSmall, 100'000, Buckets::Wte::kFirst);
  const int64_t wte = cut.state.table->get(Tensor::wte).size();
  int64_t first = 0, rest = cut.state.table->buffer_size();
  for (const Bucket& bucket : cut.buckets.all()) {
    if (first < wte) {
      EXPECT_LE(bucket.elements.end, wte);
      first += bucket.elements.size();
    } else {
      EXPECT_EQ(bucket.elements.end, rest);
      rest = bucket.elements.begin;
    }
  }
  EXPECT_EQ(first, wte);
  EXPECT_EQ(rest, wte);
}

TEST(Buckets, SharesAreWholeUnitsAndAsEvenAsThese) {
  const Cut cut(kSmall, 100'000);
  for (const Bucket& bucket : cut.buckets.all()) {
    int64_t largest = 0;
    for (int64_t u = bucket.units.begin; u < bucket.units.end; ++u) {
      largest = std::max(largest, cut.buckets.units()[size_t(u)].elements.size());
    }
    for (const int ranks : {1, 2, 3, 4, 7}) {
      const std::vector<int64_t> shares = cut.buckets.shares(bucket, ranks);
      ASSERT_EQ(shares.size(), size_t(ranks));
      EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), int64_t{0}), bucket.elements.size());
      int64_t begin = bucket.elements.begin;
      for (const int64_t share : shares) {
        EXPECT_LE(std::abs(share - bucket.elements.size() / ranks), largest);
        const Range units = cut.buckets.units_in({begin, begin + share});
        int64_t elements = 0;
        for (int64_t u = units.begin; u < units.end; ++u) {
          elements += cut.buckets.units()[size_t(u)].elements.size();
        }
        EXPECT_EQ(elements, share);
        begin += share;
      }
    }
  }
}

// Else the bits of the norm would depend on the size of buckets.
TEST(Buckets, UnitsDoNotDependOnTheBuckets) {
  const Cut few(kTiny, 1 << 30), many(kTiny, 1);
  ASSERT_EQ(few.buckets.units().size(), many.buckets.units().size());
  EXPECT_EQ(few.buckets.all().size(), 1u);
  EXPECT_GT(many.buckets.all().size(), 20u);
  for (size_t u = 0; u < few.buckets.units().size(); ++u) {
    EXPECT_EQ(few.buckets.units()[u].elements.begin, many.buckets.units()[u].elements.begin);
  }
}

TEST(Buckets, NoTwoBucketsShareATile) {
  const Cut cut(kSmall, 1);
  std::vector<int> uses(cut.tiles.size(), 0);
  for (const Bucket& bucket : cut.buckets.all()) {
    for (const TileId id : cut.buckets.tiles(cut.weights, bucket.units)) ++uses[id];
  }
  for (const int times : uses) EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace weft
