#include "timeline/op_path.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(OpKind, LeavesOutTheLayerTheTileAndTheParameter) {
  EXPECT_EQ(op_kind("block3/qkv/forward[r0,c1]"), "qkv/forward");
  EXPECT_EQ(op_kind("block12/attention/backward[b0,h2]"), "attention/backward");
  EXPECT_EQ(op_kind("block3/again/qkv/forward[r0,c1]"), "again/qkv/forward");
  EXPECT_EQ(op_kind("classifier0/dX[r0,g3]"), "classifier/dX");
  EXPECT_EQ(op_kind("block0/qkvw/update[2]"), "update");
  EXPECT_EQ(op_kind("lnf/backward[r1]"), "lnf/backward");
  EXPECT_EQ(op_kind("exchange12/sum/start"), "exchange/sum/start");
}

TEST(OpKind, KeepsTheNormApartFromItsPartialSums) {
  EXPECT_EQ(op_kind("wte/norm[0]"), "norm/partials");
  EXPECT_EQ(op_kind("norm"), "norm");
}

TEST(OpPath, OfABlockHasALayer) {
  EXPECT_EQ(op_layer("block3/qkv/forward[r0,c1]"), 3);
  EXPECT_EQ(op_layer("block012/again/qkv/forward"), 12);
  EXPECT_EQ(op_layer("block2147483647/x"), 2147483647);
  for (const char* name : {"", "block", "block3", "block/x", "blocks3/x", "classifier0/dX[r0]",
                           "block3x/y", "block2147483648/x", "a/block3/x"}) {
    EXPECT_EQ(op_layer(name), -1) << name;
  }
}

TEST(OpPath, EndsWithItsTiles) {
  EXPECT_EQ(op_tiles("block3/qkv/forward[r0,c1]"), "r0,c1");
  EXPECT_EQ(op_tiles("wte/norm[2]"), "2");
  for (const char* name : {"", "norm", "norm[", "norm]", "][", "norm[2]/x"}) {
    EXPECT_EQ(op_tiles(name), "") << name;
  }
}

}  // namespace
}  // namespace weft
