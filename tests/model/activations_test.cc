#include "model/activations.h"

#include <gtest/gtest.h>

#include "program/program.h"
#include "support/error_of.h"

namespace weft {
namespace {

constexpr int64_t kB = 3, kT = 7, kC = 15, kNH = 3, kFloat = sizeof(float);

// The activations of a model of L layers, and the memory that they are in.
struct Allocated {
  Allocated(int64_t L, Kept kept)
      : config{.L = L, .NH = kNH, .C = kC, .T = kT, .V = 31},
        tiling(choose_tiling(config, kB, kT)),
        activations(arena, tiles, config, tiling, kept) {}

  Config config;
  Tiling tiling;
  Arena arena;
  TileTable tiles;
  Activations activations;
};

size_t bytes_of_one_more_layer(Kept kept) {
  return Allocated(6, kept).arena.bytes() - Allocated(5, kept).arena.bytes();
}

// The tiles of a block that backward reads, and of its output.
std::vector<TileId> tiles_of_block(const BlockActivations& b) {
  return tiles_of({b.ln1.out.all(), b.ln1.mean.all(), b.ln1.rstd.all(), b.attention.qkv.all(),
                   b.attention.atty.all(), b.attention.lse.all(), b.residual_mid.all(),
                   b.ln2.out.all(), b.ln2.mean.all(), b.ln2.rstd.all(), b.mlp.fch.all()});
}

TEST(Activations, OfEveryBlockAreKeptForBackward) {
  const Allocated all(5, Kept::kEverything);

  EXPECT_EQ(all.activations.overwritten_blocks, 0);
  // ln1, qkv, atty, residual_mid, ln2, fch and residual_out; two means and rstds; lse.
  EXPECT_EQ(bytes_of_one_more_layer(Kept::kEverything),
            size_t(kFloat * kB * kT * (12 * kC + 4 + kNH)));
  EXPECT_EQ(error_of([&] { all.tiles.validate(); }), "");
}

TEST(Activations, KeepTheInputsOfBlocksAloneWhereTheRestIsRecomputed) {
  const Allocated ring(5, Kept::kInputs);
  const std::vector<BlockActivations>& blocks = ring.activations.blocks;

  EXPECT_EQ(ring.activations.overwritten_blocks, 3);
  EXPECT_EQ(tiles_of_block(blocks[4]), tiles_of_block(blocks[0]));
  EXPECT_NE(tiles_of_block(blocks[4]), tiles_of_block(blocks[3]));
  EXPECT_NE(blocks[4].residual_out.all(), blocks[0].residual_out.all());
  EXPECT_EQ(bytes_of_one_more_layer(Kept::kInputs), size_t(kFloat * kB * kT * kC));
  EXPECT_EQ(error_of([&] { ring.tiles.validate(); }), "");
}

TEST(Activations, TakeNoMemoryForMoreLayersWhereNoBackwardFollows) {
  const Allocated ring(5, Kept::kNothing);
  const std::vector<BlockActivations>& blocks = ring.activations.blocks;

  EXPECT_EQ(tiles_of_block(blocks[4]), tiles_of_block(blocks[0]));
  EXPECT_EQ(blocks[4].residual_out.all(), blocks[0].residual_out.all());
  EXPECT_NE(ring.activations.residual_in(4).all(), blocks[4].residual_out.all());
  EXPECT_EQ(bytes_of_one_more_layer(Kept::kNothing), 0u);
}

TEST(Activations, OfTheLastTwoBlocksAreNeverOverwritten) {
  for (const int64_t L : {1, 2}) {
    EXPECT_EQ(Allocated(L, Kept::kInputs).activations.overwritten_blocks, 0) << L;
  }
  EXPECT_EQ(Allocated(3, Kept::kInputs).activations.overwritten_blocks, 1);
}

}  // namespace
}  // namespace weft
