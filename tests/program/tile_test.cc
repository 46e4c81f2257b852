#include "program/tile.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/rng.h"
#include "support/error_of.h"

namespace weft {
namespace {

// A table of tiles inside one small buffer; positions are offsets into it.
class TileTableTest : public testing::Test {
 protected:
  void add(const std::string& name, size_t begin, size_t row_bytes, size_t rows = 1,
           size_t stride = 0) {
    tiles_.add({name, buffer_.data() + begin, rows, row_bytes, stride});
  }
  std::string problem() const {
    return error_of([&] { tiles_.validate(); });
  }

  std::array<std::byte, 256> buffer_{};
  TileTable tiles_;
};

TEST_F(TileTableTest, GivesOutIdsInOrder) {
  EXPECT_EQ(tiles_.size(), 0u);
  EXPECT_EQ(tiles_.add({"a", buffer_.data(), 1, 7, 0}), 0u);
  EXPECT_EQ(tiles_.add({"b", buffer_.data() + 7, 3, 5, 11}), 1u);

  EXPECT_EQ(tiles_.size(), 2u);
  EXPECT_EQ(tiles_[1].name, "b");
  EXPECT_EQ(tiles_[1].rows, 3u);
}

TEST_F(TileTableTest, RefusesTilesWithoutBytes) {
  EXPECT_THROW(tiles_.add({"null", nullptr, 1, 4, 0}), Error);
  EXPECT_THROW(add("no rows", 0, 4, 0), Error);
  EXPECT_THROW(add("no columns", 0, 0, 3, 4), Error);
}

TEST_F(TileTableTest, RefusesATileWhoseOwnRowsOverlap) {
  EXPECT_THROW(add("overlapping rows", 0, 5, 2, 4), Error);
  EXPECT_NO_THROW(add("touching rows", 0, 5, 2, 5));
}

TEST_F(TileTableTest, AnEmptyTableIsValid) { EXPECT_EQ(problem(), ""); }

TEST_F(TileTableTest, NeighboursAreValid) {
  add("last", 20, 9);
  add("first", 0, 13);
  add("middle", 13, 7);

  EXPECT_EQ(problem(), "");
}

TEST_F(TileTableTest, OneSharedByteIsRefusedByName) {
  add("first", 0, 14);
  add("second", 13, 7);

  EXPECT_TRUE(mentions(problem(), {"'first'", "'second'", "share"}));
}

TEST_F(TileTableTest, TheSameBytesTwiceAreRefused) {
  add("one", 5, 8, 3, 16);
  add("two", 5, 8, 3, 16);

  EXPECT_TRUE(mentions(problem(), {"'one'", "'two'"}));
}

TEST_F(TileTableTest, ATileInsideAnotherIsRefusedThoughOthersLieBetween) {
  add("outer", 0, 200);
  add("inner", 150, 3);

  EXPECT_TRUE(mentions(problem(), {"'outer'", "'inner'"}));
}

// The columns of a 5 x 31 matrix in blocks of 8, the last of them 7 wide.
TEST_F(TileTableTest, InterleavedColumnBlocksAreValid) {
  for (size_t begin = 0; begin < 31; begin += 8) {
    add("columns" + std::to_string(begin), 1 + begin, begin == 24 ? 7 : 8, 5, 31);
  }

  EXPECT_EQ(problem(), "");
}

TEST_F(TileTableTest, ColumnBlocksThatShareOneColumnAreRefused) {
  add("left", 0, 9, 5, 31);
  add("right", 8, 23, 5, 31);

  EXPECT_TRUE(mentions(problem(), {"'left'", "'right'"}));
}

TEST_F(TileTableTest, ATileInTheGapsOfAnotherIsValid) {
  add("columns", 0, 8, 5, 32);
  add("in a gap", 40, 24);
  add("after the last row", 136, 4);

  EXPECT_EQ(problem(), "");
}

TEST_F(TileTableTest, ATileThatReachesOutOfAGapByOneByteIsRefused) {
  add("columns", 0, 8, 5, 32);
  add("too long", 40, 25);

  EXPECT_TRUE(mentions(problem(), {"'columns'", "'too long'"}));
}

TEST_F(TileTableTest, DifferentStridesThatMeetOnceAreRefused) {
  add("by 12", 0, 2, 7, 12);
  add("by 34", 4, 1, 3, 34);  // bytes 4, 38 and 72: 72 is row 6 of the other

  EXPECT_TRUE(mentions(problem(), {"'by 12'", "'by 34'"}));
}

TEST_F(TileTableTest, TwoTilesOfOneNameAreRefused) {
  add("same", 0, 4);
  add("same", 8, 4);

  EXPECT_TRUE(mentions(problem(), {"'same'"}));
}

Tile random_tile(uint64_t seed, uint64_t index, std::byte* buffer) {
  const auto draw = [&](uint64_t stream, size_t n) { return random_u64(seed, stream, index) % n; };
  const size_t rows = 1 + draw(0, 4), row_bytes = 1 + draw(1, 6);
  const size_t stride = row_bytes + draw(2, 30), begin = draw(3, 100);
  // The stride of a single row has no meaning, so it may have any value.
  return {"t" + std::to_string(index), buffer + begin, rows, row_bytes,
          rows == 1 ? draw(2, 30) : stride};
}

// Marks the tile's bytes. Returns false if one was marked before.
bool mark(const Tile& tile, const std::byte* buffer, std::vector<bool>& taken) {
  bool free = true;
  for (size_t row = 0; row < tile.rows; ++row) {
    for (size_t i = 0; i < tile.row_bytes; ++i) {
      const auto at = static_cast<size_t>(tile.data - buffer) + row * tile.stride_bytes + i;
      if (taken[at]) free = false;
      taken[at] = true;
    }
  }
  return free;
}

TEST(TileTable, AgreesWithMarkingEveryByte) {
  std::array<std::byte, 256> buffer{};
  int valid = 0, invalid = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    TileTable tiles;
    std::vector<bool> taken(buffer.size());
    bool disjoint = true;
    for (uint64_t i = 0; i < 2 + seed % 4; ++i) {
      tiles.add(random_tile(seed, i, buffer.data()));
      disjoint = mark(tiles[static_cast<TileId>(i)], buffer.data(), taken) && disjoint;
    }

    const std::string problem = error_of([&] { tiles.validate(); });

    EXPECT_EQ(problem.empty(), disjoint) << "seed " << seed << ": " << problem;
    ++(disjoint ? valid : invalid);
  }
  EXPECT_GT(valid, 300);  // both verdicts occurred often
  EXPECT_GT(invalid, 300);
}

}  // namespace
}  // namespace weft
