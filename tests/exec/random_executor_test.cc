#include "support/random_executor.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "support/error_of.h"
#include "support/word_tiles.h"

namespace weft {
namespace {

TEST(RandomExecutor, LeavesTheBitsOfListOrder) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    MixingProgram mixing(seed, 40, 400);
    const std::vector<uint64_t> expected = mixing.expected_memory(2);
    const auto prepared = RandomExecutor(seed).prepare(mixing.program());

    prepared->run();
    prepared->run();

    EXPECT_EQ(mixing.memory(), expected) << "seed " << seed;
  }
}

// The names of three independent ops in the order in which they run.
std::string order_of(uint64_t seed) {
  const WordTiles tiles(3);
  Program program("three", tiles.table());
  std::string order;
  for (TileId tile = 0; tile < 3; ++tile) {
    const std::string name(1, static_cast<char>('a' + tile));
    program.add(make_op(name, {}, {tile}, [&order, name](std::byte*) { order += name; }));
  }
  RandomExecutor(seed).prepare(program)->run();
  return order;
}

TEST(RandomExecutor, FindsEveryOrderAndRepeatsThatOfASeed) {
  std::set<std::string> orders;
  for (uint64_t seed = 0; seed < 64; ++seed) {
    orders.insert(order_of(seed));

    EXPECT_EQ(order_of(seed), order_of(seed));
  }
  EXPECT_EQ(orders, (std::set<std::string>{"abc", "acb", "bac", "bca", "cab", "cba"}));
}

TEST(RandomExecutor, RethrowsTheErrorOfAnOp) {
  const WordTiles tiles(1);
  Program program("fails", tiles.table());
  program.add(make_op("fails", {}, {0}, [](std::byte*) { throw failure("fails", "failed"); }));

  EXPECT_EQ(error_of([&] { RandomExecutor(0).prepare(program)->run(); }), "[fails] failed");
}

}  // namespace
}  // namespace weft
