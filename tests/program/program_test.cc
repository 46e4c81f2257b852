#include "program/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/word_tiles.h"

namespace weft {
namespace {

using Ids = std::vector<TileId>;

// The tiles that an op of a hand-made program reads and writes.
struct Touches {
  Ids reads, writes;
};

class ProgramTest : public testing::Test {
 protected:
  void add(Ids reads, Ids writes) {
    program_.add(make_op("op" + std::to_string(program_.ops().size()), reads, writes));
  }
  void add_all(const std::vector<Touches>& ops) {
    for (const Touches& op : ops) add(op.reads, op.writes);
  }
  std::string problem() const {
    return error_of([&] { program_.validate(); });
  }

  WordTiles tiles_{8};
  Program program_{"test", tiles_.table()};
};

TEST_F(ProgramTest, KeepsOpsInTheOrderInWhichTheyWereAdded) {
  add({}, {3});
  add({3}, {1});

  EXPECT_EQ(program_.name(), "test");
  ASSERT_EQ(program_.ops().size(), 2u);
  EXPECT_EQ(program_.ops()[0].name.text(), "op0");
  EXPECT_EQ(program_.ops()[1].name.text(), "op1");
}

TEST(OpName, IsAPathOfItsParts) {
  EXPECT_EQ((OpName{.kind = "norm"}).text(), "norm");
  EXPECT_EQ((OpName{.kind = "qkv/forward", .layer = 3, .tile = "r0,c1"}).text(),
            "block3/qkv/forward[r0,c1]");
  EXPECT_EQ((OpName{.kind = "update", .layer = 0, .parameter = "qkvw", .tile = "2"}).text(),
            "block0/qkvw/update[2]");
  EXPECT_EQ((OpName{.kind = "exchange/sum/start", .index = 12}).text(), "exchange12/sum/start");
  EXPECT_EQ((OpName{.kind = "norm", .index = 1}).text(), "norm1");
}

TEST_F(ProgramTest, MovedBytesAreThoseOfTheTilesUnlessAnOpSetsThem) {
  add({1, 2}, {3});
  Op op = program_.ops()[0];
  const size_t tile_bytes = tiles_.table()[1].row_bytes;

  EXPECT_EQ(moved_bytes(op, tiles_.table()), 2 * tile_bytes + 2 * tile_bytes);
  op.moved_bytes = 5;
  EXPECT_EQ(moved_bytes(op, tiles_.table()), 5u);
}

TEST_F(ProgramTest, ATileNamedTwiceIsKeptOnce) {
  add({5, 2, 5, 2, 2}, {7, 1, 7});

  EXPECT_EQ(program_.ops()[0].reads, (Ids{2, 5}));
  EXPECT_EQ(program_.ops()[0].writes, (Ids{1, 7}));
}

TEST_F(ProgramTest, ATileReadAndWrittenCountsAsWritten) {
  add({0, 4, 6}, {6, 4});

  EXPECT_EQ(program_.ops()[0].reads, (Ids{0}));
  EXPECT_EQ(program_.ops()[0].writes, (Ids{4, 6}));
}

TEST_F(ProgramTest, NeedsTheLargestScratchOfItsOps) {
  EXPECT_EQ(program_.scratch_bytes(), 0u);

  program_.add(make_op(
      "small", {}, {0}, [](std::byte*) {}, 100));
  program_.add(make_op(
      "large", {}, {0}, [](std::byte*) {}, 1000));
  program_.add(make_op("none", {}, {0}));

  EXPECT_EQ(program_.scratch_bytes(), 1000u);
}

TEST(TilesOf, JoinsListsInOrder) {
  EXPECT_EQ(tiles_of({{3, 1}, {}, {1, 2}}), (Ids{3, 1, 1, 2}));
  EXPECT_TRUE(tiles_of({}).empty());
}

TEST(PhaseName, NamesEveryPhaseDifferently) {
  EXPECT_STREQ(phase_name(Phase::kData), "data");
  EXPECT_STREQ(phase_name(Phase::kForward), "forward");
  EXPECT_STREQ(phase_name(Phase::kBackward), "backward");
  EXPECT_STREQ(phase_name(Phase::kUpdate), "update");
  EXPECT_STREQ(phase_name(Phase::kCommunication), "communication");
}

TEST_F(ProgramTest, ValidateAcceptsASoundProgram) {
  EXPECT_EQ(problem(), "");

  add_all({{{}, {0}}, {{0}, {1, 7}}, {{}, {0}}});

  EXPECT_EQ(problem(), "");
}

TEST_F(ProgramTest, ValidateRefusesAnOpWithoutName) {
  program_.add(make_op("", {}, {0}));

  EXPECT_TRUE(mentions(problem(), {"'test'", "no name"}));
}

TEST_F(ProgramTest, ValidateRefusesTwoOpsOfOneName) {
  program_.add(make_op("twin", {}, {0}));
  program_.add(make_op("twin", {}, {1}));

  EXPECT_TRUE(mentions(problem(), {"'twin'", "name of another"}));
}

TEST_F(ProgramTest, ValidateRefusesAnOpWithoutFunction) {
  program_.add(make_op("idle", {}, {0}, nullptr));

  EXPECT_TRUE(mentions(problem(), {"'idle'", "no function"}));
}

TEST_F(ProgramTest, ValidateRefusesAnOpThatWritesNothing) {
  add({1, 2}, {});

  EXPECT_TRUE(mentions(problem(), {"'op0'", "writes nothing"}));
}

TEST_F(ProgramTest, ValidateRefusesTilesThatAreNotInTheTable) {
  add({7}, {0});
  EXPECT_EQ(problem(), "");

  add({1, 8}, {0});

  EXPECT_TRUE(mentions(problem(), {"'op1'", "unknown tile"}));
}

TEST_F(ProgramTest, ValidateRefusesUnknownTilesAmongWrites) {
  add({}, {3, 1000});

  EXPECT_TRUE(mentions(problem(), {"'op0'", "unknown tile"}));
}

TEST(Program, ValidateRefusesOverlappingTiles) {
  std::vector<std::byte> bytes(10);
  TileTable tiles;
  tiles.add({"a", bytes.data(), 1, 6, 0});
  tiles.add({"b", bytes.data() + 5, 1, 5, 0});
  Program program("overlap", tiles);
  program.add(make_op("op", {}, {0}));

  const std::string problem = error_of([&] { program.validate(); });

  EXPECT_TRUE(mentions(problem, {"'a'", "'b'"}));
}

using Begins = std::vector<size_t>;

TEST_F(ProgramTest, NoOpsMakeOneEmptyRun) { EXPECT_EQ(independent_runs(program_), (Begins{0, 0})); }

TEST_F(ProgramTest, IndependentOpsMakeOneRun) {
  add_all({{{0}, {1}}, {{0}, {2}}, {{0, 5}, {3, 4}}});

  EXPECT_EQ(independent_runs(program_), (Begins{0, 3}));
}

TEST_F(ProgramTest, AReadAfterAWriteBeginsANewRun) {
  add_all({{{}, {0}}, {{}, {1}}, {{0}, {2}}});

  EXPECT_EQ(independent_runs(program_), (Begins{0, 2, 3}));
}

TEST_F(ProgramTest, AWriteAfterAReadBeginsANewRun) {
  add_all({{{0}, {1}}, {{}, {0}}});

  EXPECT_EQ(independent_runs(program_), (Begins{0, 1, 2}));
}

TEST_F(ProgramTest, AWriteAfterAWriteBeginsANewRun) {
  add_all({{{}, {0}}, {{}, {0}}, {{}, {1}}});

  EXPECT_EQ(independent_runs(program_), (Begins{0, 1, 3}));
}

TEST_F(ProgramTest, AConflictWithAnEarlierRunBeginsNoNewRun) {
  add_all({{{}, {0}}, {{0}, {1}}, {{}, {2}}, {{0}, {3}}});

  EXPECT_EQ(independent_runs(program_), (Begins{0, 1, 4}));
}

using Waits = std::vector<std::vector<uint32_t>>;

TEST_F(ProgramTest, IndependentOpsWaitForNothing) {
  add_all({{{0}, {1}}, {{0}, {2}}, {{}, {3}}});

  EXPECT_EQ(dependences(program_), (Waits{{}, {}, {}}));
}

TEST_F(ProgramTest, ReadersWaitForTheLastWriter) {
  add_all({{{}, {0}}, {{}, {0}}, {{0}, {1}}, {{0}, {2}}});

  EXPECT_EQ(dependences(program_), (Waits{{}, {0}, {1}, {1}}));
}

TEST_F(ProgramTest, AWriterWaitsForAllReadersSinceTheLastWrite) {
  add_all({{{}, {0}}, {{0}, {1}}, {{0}, {2}}, {{}, {0}}, {{}, {0}}});

  EXPECT_EQ(dependences(program_), (Waits{{}, {0}, {0}, {1, 2}, {3}}));
}

TEST_F(ProgramTest, AnOpThatConflictsOnManyTilesIsNamedOnce) {
  add_all({{{5}, {0, 1, 2}}, {{0, 1}, {2, 5}}});

  EXPECT_EQ(dependences(program_), (Waits{{}, {0}}));
}

// ---- Random programs, against the definition of a conflict applied to all pairs of ops.

// For each op, the earlier ops that it depends on directly or indirectly.
using Closure = std::vector<std::vector<bool>>;

Closure closure_of(size_t ops, const std::function<bool(size_t, size_t)>& waits) {
  Closure closure(ops, std::vector<bool>(ops));
  for (size_t i = 0; i < ops; ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!waits(i, j)) continue;
      closure[i][j] = true;
      for (size_t k = 0; k < j; ++k) closure[i][k] = closure[i][k] || closure[j][k];
    }
  }
  return closure;
}

class RandomPrograms : public testing::TestWithParam<uint64_t> {
 protected:
  const std::vector<Op>& ops() const { return mixing_.program().ops(); }

  // Few tiles give chains; many tiles give programs that are almost free of conflicts.
  MixingProgram mixing_{GetParam(), 5 + 20 * (GetParam() % 10), 150};
};

INSTANTIATE_TEST_SUITE_P(Seeds, RandomPrograms, testing::Range(uint64_t{0}, uint64_t{30}));

TEST_P(RandomPrograms, RunsHoldNoConflictsAndCouldNotBeLonger) {
  const std::vector<size_t> begins = independent_runs(mixing_.program());

  ASSERT_EQ(begins.front(), 0u);
  ASSERT_EQ(begins.back(), ops().size());
  for (size_t run = 0; run + 1 < begins.size(); ++run) {
    ASSERT_LT(begins[run], begins[run + 1]);
    const auto conflicts_in_run = [&](size_t op, size_t end) {
      for (size_t i = begins[run]; i < end; ++i) {
        if (conflict(ops()[i], ops()[op])) return true;
      }
      return false;
    };
    for (size_t op = begins[run]; op < begins[run + 1]; ++op) {
      EXPECT_FALSE(conflicts_in_run(op, op)) << ops()[op].name.text();
    }
    const size_t next = begins[run + 1];
    EXPECT_TRUE(next == ops().size() || conflicts_in_run(next, next)) << "run " << run;
  }
}

TEST_P(RandomPrograms, DependencesAreEarlierConflictingOpsEachNamedOnce) {
  const Waits waits = dependences(mixing_.program());

  ASSERT_EQ(waits.size(), ops().size());
  for (size_t i = 0; i < waits.size(); ++i) {
    EXPECT_TRUE(std::ranges::is_sorted(waits[i]));
    EXPECT_EQ(std::ranges::adjacent_find(waits[i]), waits[i].end());
    for (uint32_t earlier : waits[i]) {
      ASSERT_LT(earlier, i);
      EXPECT_TRUE(conflict(ops()[earlier], ops()[i]));
    }
  }
}

TEST_P(RandomPrograms, DependencesOrderExactlyWhatConflictsOrder) {
  const Waits waits = dependences(mixing_.program());

  const Closure by_waits = closure_of(ops().size(), [&](size_t i, size_t j) {
    return std::ranges::count(waits[i], static_cast<uint32_t>(j)) > 0;
  });
  const Closure by_conflicts =
      closure_of(ops().size(), [&](size_t i, size_t j) { return conflict(ops()[i], ops()[j]); });

  EXPECT_EQ(by_waits, by_conflicts);
}

// A random order in which every op comes after its predecessors.
std::vector<size_t> random_order(const Waits& waits, Draw& draw) {
  std::vector<bool> done(waits.size());
  std::vector<size_t> order, waiting(waits.size());
  std::iota(waiting.begin(), waiting.end(), size_t{0});
  while (!waiting.empty()) {
    std::vector<size_t> ready;
    for (size_t op : waiting) {
      if (std::ranges::all_of(waits[op], [&](uint32_t i) { return done[i]; })) ready.push_back(op);
    }
    order.push_back(ready[draw.below(ready.size())]);
    done[order.back()] = true;
    std::erase(waiting, order.back());
  }
  return order;
}

TEST_P(RandomPrograms, AnyOrderThatKeepsTheDependencesLeavesTheBitsOfListOrder) {
  const std::vector<uint64_t> expected = mixing_.expected_memory();
  const Waits waits = dependences(mixing_.program());
  Draw draw(GetParam() + 1000);

  for (int trial = 0; trial < 5; ++trial) {
    const std::vector<size_t> order = random_order(waits, draw);
    mixing_.reset();
    for (size_t op : order) ops()[op].run(nullptr);

    EXPECT_EQ(mixing_.memory(), expected);
    EXPECT_FALSE(std::ranges::is_sorted(order));
  }
}

// The tests above compare memory, so memory must differ if two conflicting neighbours change
// places.
TEST_P(RandomPrograms, SwappingConflictingNeighboursLeavesOtherBits) {
  const std::vector<uint64_t> expected = mixing_.expected_memory();
  size_t swapped = 0;
  for (size_t first = 0; first + 1 < ops().size(); ++first) {
    if (!conflict(ops()[first], ops()[first + 1])) continue;
    mixing_.reset();
    for (size_t i = 0; i < ops().size(); ++i) {
      ops()[i == first ? first + 1 : i == first + 1 ? first : i].run(nullptr);
    }
    ++swapped;
    EXPECT_NE(mixing_.memory(), expected) << "ops " << first << " and " << first + 1;
  }
  EXPECT_GT(swapped, 0u);
}

}  // namespace
}  // namespace weft
