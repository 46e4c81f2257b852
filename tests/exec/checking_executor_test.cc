#include "support/checking_executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "program/tiled.h"
#include "support/error_of.h"
#include "support/word_tiles.h"

namespace weft {
namespace {

using Ids = std::vector<TileId>;

// Four tiles of words, in which each word holds its number + 1, and a program of one op.
class CheckingExecutorTest : public testing::Test {
 protected:
  CheckingExecutorTest() {
    for (size_t tile = 0; tile < 4; ++tile) std::ranges::fill(tiles_[tile], tile + 1);
  }

  void add(Ids reads, Ids writes, std::function<void(std::byte*)> run, size_t scratch_bytes = 0) {
    program_.add(make_op("op" + std::to_string(program_.ops().size()), reads, writes,
                         std::move(run), scratch_bytes));
  }
  std::string problem() const {
    return error_of([&] { CheckingExecutor().prepare(program_)->run(); });
  }

  WordTiles tiles_{4};
  Program program_{"checked", tiles_.table()};
};

TEST(CheckingExecutor, PassesCorrectProgramsAndLeavesTheBitsOfListOrder) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    MixingProgram mixing(seed, 60, 200);
    const std::vector<uint64_t> expected = mixing.expected_memory(2);
    const auto prepared = CheckingExecutor().prepare(mixing.program());

    prepared->run();
    prepared->run();

    EXPECT_EQ(mixing.memory(), expected);
  }
}

TEST_F(CheckingExecutorTest, PassesAnOpThatReadsWhatItWrites) {
  add({}, {2}, [&](std::byte*) { tiles_[2][1] += 5; });

  EXPECT_EQ(problem(), "");
  EXPECT_EQ(tiles_[2][1], 8u);  // 3 + 5: added once, though the op ran thrice
}

TEST_F(CheckingExecutorTest, PassesAnOpThatOverwritesItsScratchBeforeItReadsIt) {
  const auto through_scratch = [&](std::byte* scratch) {
    std::ranges::copy(std::as_bytes(tiles_[0]), scratch);
    std::copy_n(scratch, 24, std::as_writable_bytes(tiles_[1]).begin());
  };
  add({0}, {1}, through_scratch, 24);

  EXPECT_EQ(problem(), "");
  EXPECT_EQ(tiles_[1][2], 1u);
}

TEST_F(CheckingExecutorTest, CatchesAnUndeclaredWrite) {
  add({0}, {1}, [&](std::byte*) { tiles_[1][0] = tiles_[3][2] = 7; });

  EXPECT_TRUE(mentions(problem(), {"[op0]", "writes to tile 't3'"}));
}

TEST_F(CheckingExecutorTest, CatchesAnUndeclaredWriteOfWhatWasAlreadyThere) {
  add({0}, {1}, [&](std::byte*) { tiles_[3][2] = 4; });

  EXPECT_TRUE(mentions(problem(), {"[op0]", "writes to tile 't3'"}));
}

TEST_F(CheckingExecutorTest, CatchesAWriteToATileDeclaredAsRead) {
  add({0, 2}, {1}, [&](std::byte*) { tiles_[2][0] += 1; });

  EXPECT_TRUE(mentions(problem(), {"[op0]", "writes to tile 't2'", "as written"}));
}

TEST_F(CheckingExecutorTest, CatchesAnUndeclaredReadAndNamesTheTile) {
  add({0}, {1}, [&](std::byte*) { tiles_[1][0] = tiles_[0][0] + tiles_[3][1]; });

  EXPECT_TRUE(mentions(problem(), {"[op0]", "reads tile 't3'", "does not declare"}));
}

TEST_F(CheckingExecutorTest, CatchesUndeclaredReadsThatMatterOnlyTogether) {
  // The result changes only if both tiles do.
  add({}, {1}, [&](std::byte*) { tiles_[1][0] = tiles_[2][0] == 3 || tiles_[3][0] == 4; });

  EXPECT_TRUE(mentions(problem(), {"[op0]", "only together"}));
}

TEST_F(CheckingExecutorTest, CatchesResultsThatDependOnScratch) {
  add(
      {}, {1}, [&](std::byte* scratch) { tiles_[1][0] = static_cast<uint64_t>(scratch[63]); }, 64);

  EXPECT_TRUE(mentions(problem(), {"[op0]", "'t1'", "scratch"}));
}

TEST_F(CheckingExecutorTest, CatchesAnOpThatWritesPastItsOwnScratch) {
  add(
      {}, {0}, [](std::byte*) {}, 1000);  // the buffer is larger than op1 asks for
  add(
      {}, {1}, [](std::byte* scratch) { scratch[64] = std::byte{1}; }, 64);

  EXPECT_TRUE(mentions(problem(), {"[op1]", "past its 64 bytes of scratch"}));
}

TEST_F(CheckingExecutorTest, FindsTheOneWrongOpAmongMany) {
  for (int i = 0; i < 10; ++i) add({0}, {1}, [&](std::byte*) { tiles_[1][0] += tiles_[0][0]; });
  add({1}, {0}, [&](std::byte*) { tiles_[0][0] = tiles_[1][0] * tiles_[2][0]; });
  add({1}, {2}, [&](std::byte*) { tiles_[2][0] = tiles_[1][0]; });

  EXPECT_TRUE(mentions(problem(), {"[op10]", "reads tile 't2'"}));
}

TEST_F(CheckingExecutorTest, ErrorsOfOpsPassThrough) {
  add({}, {0}, [](std::byte*) { throw failure("op", "its own error"); });

  EXPECT_EQ(problem(), "[op] its own error");
}

TEST_F(CheckingExecutorTest, TheObserverSeesEveryOpOnce) {
  class Count : public Observer {
   public:
    void op_started(size_t, int) noexcept override { ++starts; }
    void op_ended(size_t, int) noexcept override { ++ends; }
    int starts = 0, ends = 0;
  };
  add({}, {0}, [](std::byte*) {});
  add({}, {1}, [](std::byte*) {});
  Count count;

  CheckingExecutor().prepare(program_)->run(&count);

  EXPECT_EQ(count.starts, 2);
  EXPECT_EQ(count.ends, 2);
}

// A 4 x 6 matrix in tiles of two columns.
class CheckingExecutorOnColumns : public testing::Test {
 protected:
  std::string problem(Ids reads, Ids writes, std::function<void(Matrix<float>)> run) {
    Program program("columns", table_);
    program.add(make_op("op", reads, writes, [&](std::byte*) { run(x_.matrix()); }));
    return error_of([&] { CheckingExecutor().prepare(program)->run(); });
  }

  Arena arena_;
  TileTable table_;
  Tiled<float> x_ = allocate_tiled<float>(arena_, table_, "x", 4, 6, 4, 2);
};

TEST_F(CheckingExecutorOnColumns, KnowsTheElementsOfATileFromThoseBetweenItsRows) {
  const auto add_left_to_middle = [](Matrix<float> x) {
    for (int64_t r = 0; r < x.rows; ++r) x.at(r, 2) += x.at(r, 1) + 1.f;
  };

  EXPECT_EQ(problem({0}, {1}, add_left_to_middle), "");
  EXPECT_EQ(x_.matrix().at(3, 2), 1.f);
  EXPECT_EQ(x_.matrix().at(3, 1), 0.f);
  EXPECT_TRUE(mentions(problem({}, {1}, add_left_to_middle), {"reads tile 'x[:,0]'"}));
  EXPECT_TRUE(mentions(problem({0}, {2}, add_left_to_middle), {"writes to tile 'x[:,1]'"}));
}

}  // namespace
}  // namespace weft
