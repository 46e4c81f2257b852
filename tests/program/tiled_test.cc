#include "program/tiled.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "support/error_of.h"

namespace weft {
namespace {

std::vector<std::string> names_of(const TileTable& tiles, const std::vector<TileId>& ids) {
  std::vector<std::string> names;
  for (TileId id : ids) names.push_back(tiles[id].name);
  return names;
}

using Names = std::vector<std::string>;

// True if the tile holds the element.
bool holds(const Tile& tile, const float* element) {
  const auto* byte = reinterpret_cast<const std::byte*>(element);
  for (size_t row = 0; row < tile.rows; ++row) {
    const std::byte* begin = tile.data + row * tile.stride_bytes;
    if (begin <= byte && byte < begin + tile.row_bytes) return true;
  }
  return false;
}

TEST(Split, CutsARangeIntoPiecesOfWhichTheLastMayBeShorter) {
  const std::vector<Range> ranges = split(11, 4);

  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(ranges[1].begin, 4);
  EXPECT_EQ(ranges[1].size(), 4);
  EXPECT_EQ(ranges[2].begin, 8);
  EXPECT_EQ(ranges[2].end, 11);
  EXPECT_EQ(split(8, 4).size(), 2u);
  EXPECT_EQ(split(3, 4).size(), 1u);
  EXPECT_TRUE(split(0, 4).empty());
}

// A 7 x 11 matrix in tiles of 3 x 4: three rows of three tiles. The last row of tiles is 1 high,
// the last column 3 wide.
class TiledTest : public testing::Test {
 protected:
  Arena arena_;
  TileTable tiles_;
  // Ids that do not begin at 0.
  Tiled<float> before_ = allocate_tiled<float>(arena_, tiles_, "before", 5, 5, 2, 5);
  Tiled<float> x_ = allocate_tiled<float>(arena_, tiles_, "x", 7, 11, 3, 4);
};

TEST_F(TiledTest, CoversTheMatrixWithDisjointTiles) {
  EXPECT_EQ(error_of([&] { tiles_.validate(); }), "");
  size_t bytes = 0;
  for (TileId id : x_.all()) bytes += tiles_[id].rows * tiles_[id].row_bytes;
  EXPECT_EQ(bytes, 7 * 11 * sizeof(float));
}

TEST_F(TiledTest, NamesTilesByTheDimensionsThatAreCut) {
  const auto names = [&](const std::string& name, int64_t row_tile, int64_t col_tile) {
    const auto tiled = allocate_tiled<float>(arena_, tiles_, name, 4, 6, row_tile, col_tile);
    return names_of(tiles_, tiled.all());
  };

  EXPECT_EQ(names("grid", 2, 4), (Names{"grid[0,0]", "grid[0,1]", "grid[1,0]", "grid[1,1]"}));
  EXPECT_EQ(names("rows", 3, 6), (Names{"rows[0]", "rows[1]"}));
  EXPECT_EQ(names("columns", 4, 5), (Names{"columns[:,0]", "columns[:,1]"}));
  EXPECT_EQ(names("whole", 4, 6), (Names{"whole"}));
  EXPECT_EQ(names("less than a tile", 100, 100), (Names{"less than a tile"}));
}

TEST_F(TiledTest, OverReturnsEveryTileThatARectangleIntersects) {
  EXPECT_EQ(names_of(tiles_, x_.over({2, 4}, {3, 5})),
            (Names{"x[0,0]", "x[0,1]", "x[1,0]", "x[1,1]"}));
  EXPECT_EQ(names_of(tiles_, x_.over({3, 6}, {4, 8})), (Names{"x[1,1]"}));
  EXPECT_EQ(names_of(tiles_, x_.over({5, 7})),
            (Names{"x[1,0]", "x[1,1]", "x[1,2]", "x[2,0]", "x[2,1]", "x[2,2]"}));
  EXPECT_EQ(names_of(tiles_, x_.over_cols({8, 11})), (Names{"x[0,2]", "x[1,2]", "x[2,2]"}));
  EXPECT_EQ(x_.all().size(), 9u);
}

TEST_F(TiledTest, OverAgreesWithLookingAtEveryElementOfEveryRectangle) {
  for (int64_t r0 = 0; r0 < 7; ++r0) {
    for (int64_t r1 = r0 + 1; r1 <= 7; ++r1) {
      for (int64_t c0 = 0; c0 < 11; ++c0) {
        for (int64_t c1 = c0 + 1; c1 <= 11; ++c1) {
          std::set<TileId> expected;
          for (int64_t i = 0; i < (r1 - r0) * (c1 - c0); ++i) {
            const float* element = &x_.matrix().at(r0 + i / (c1 - c0), c0 + i % (c1 - c0));
            for (TileId id = 0; id < tiles_.size(); ++id) {
              if (holds(tiles_[id], element)) expected.insert(id);
            }
          }

          const std::vector<TileId> ids = x_.over({r0, r1}, {c0, c1});

          ASSERT_EQ(ids, std::vector<TileId>(expected.begin(), expected.end()));
        }
      }
    }
  }
}

TEST_F(TiledTest, OverRefusesRectanglesOutsideTheMatrix) {
  EXPECT_THROW(x_.over({0, 8}), Error);
  EXPECT_THROW(x_.over({-1, 2}), Error);
  EXPECT_THROW(x_.over({2, 2}), Error);
  EXPECT_THROW(x_.over_cols({0, 12}), Error);
  EXPECT_THROW(x_.over_cols({5, 4}), Error);
}

TEST_F(TiledTest, BlocksAreViewsOfTheMatrix) {
  x_.matrix().at(4, 6) = 1.5f;

  EXPECT_EQ(x_.block({4, 7}, {6, 9}).at(0, 0), 1.5f);
  EXPECT_EQ(x_.block({3, 5}).at(1, 6), 1.5f);
  EXPECT_EQ(x_.block({3, 5}).cols, 11);
}

TEST_F(TiledTest, RangesFollowTheTiles) {
  EXPECT_EQ(x_.row_ranges().size(), 3u);
  EXPECT_EQ(x_.row_ranges()[2].size(), 1);
  EXPECT_EQ(x_.col_ranges().size(), 3u);
  EXPECT_EQ(x_.col_ranges()[2].size(), 3);
}

TEST_F(TiledTest, VectorsGiveTheirElements) {
  const auto per_row = allocate_tiled<float>(arena_, tiles_, "per row", 9, 1, 4, 1);
  const auto bias = allocate_tiled<float>(arena_, tiles_, "bias", 1, 9, 1, 4);
  per_row.matrix().at(5, 0) = 2.f;
  bias.matrix().at(0, 5) = 3.f;

  EXPECT_EQ(per_row.column({4, 8})[1], 2.f);
  EXPECT_EQ(per_row.column({4, 8}).size(), 4u);
  EXPECT_EQ(bias.row_elements({4, 8})[1], 3.f);
  EXPECT_EQ(bias.row_elements({4, 8}).size(), 4u);
}

TEST_F(TiledTest, ABlockOfALargerMatrixIsCutWithTheStrideOfThatMatrix) {
  const Matrix<float> whole = arena_.matrix<float>(6, 10);
  const Tiled<float> part(tiles_, "part", whole.block(1, 4, 3, 5), 3, 2);

  const std::vector<TileId> ids = part.over({3, 4}, {4, 5});

  EXPECT_EQ(names_of(tiles_, ids), (Names{"part[1,2]"}));
  EXPECT_EQ(tiles_[ids[0]].data, reinterpret_cast<std::byte*>(&whole.at(4, 7)));
  EXPECT_EQ(tiles_[ids[0]].row_bytes, sizeof(float));
  EXPECT_EQ(tiles_[part.over({0, 1}, {0, 1})[0]].stride_bytes, 10 * sizeof(float));
}

}  // namespace
}  // namespace weft
