// Fuzzes schedules: a training step leaves the same bits in every legal order of its ops.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "exec/executor.h"
#include "kernels/bf16_backend.h"
#include "step/small_training.h"
#include "support/random_executor.h"

namespace weft {
namespace {

constexpr uint64_t kSeeds = 4;

bool same_bytes(const Tile& a, const Tile& b) {
  for (size_t row = 0; row < a.rows; ++row) {
    const size_t offset = row * a.stride_bytes;
    if (std::memcmp(a.data + offset, b.data + offset, a.row_bytes) != 0) return false;
  }
  return true;
}

// The first tile that differs: weights, gradients, moments, activations, partial sums.
std::string first_difference(const TileTable& actual, const TileTable& expected) {
  for (TileId id = 0; id < expected.size(); ++id) {
    if (!same_bytes(actual[id], expected[id])) return expected[id].name;
  }
  return "";
}

std::vector<TrainingShape> shapes() {
  std::vector<TrainingShape> chosen = training_shapes();
  std::erase_if(chosen, [](const TrainingShape& shape) { return shape.name == "row_tiles"; });
  // Deep enough that the first two blocks are recomputed.
  chosen.push_back({"deep", {.L = 4, .NH = 3, .C = 15, .T = 11, .V = 31}, 3, 7, {}});
  return chosen;
}

std::vector<TrainingVariant> variants() {
  std::vector<TrainingVariant> all;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    if (precision == Precision::kBf16 && !cpu_has_bf16()) continue;
    const std::string prefix = precision == Precision::kBf16 ? "bf16_" : "fp32_";
    all.push_back({prefix + "clipping", 1, 0.5f, precision});
    all.push_back({prefix + "without_clipping", 1, 0.f, precision});
    all.push_back({prefix + "three_micro_steps", 3, 0.5f, precision});
    all.push_back({prefix + "recompute", 1, 0.5f, precision, "", true});
    all.push_back({prefix + "recompute_two_micro_steps", 2, 0.f, precision, "", true});
    all.push_back({prefix + "all_reduce", 3, 0.5f, precision, "all-reduce"});
    all.push_back({prefix + "sharded", 1, 0.f, precision, "sharded"});
  }
  return all;
}

class RandomOrder : public testing::TestWithParam<std::tuple<TrainingShape, TrainingVariant>> {};

INSTANTIATE_TEST_SUITE_P(Steps, RandomOrder,
                         testing::Combine(testing::ValuesIn(shapes()),
                                          testing::ValuesIn(variants())),
                         [](const auto& info) {
                           return std::get<0>(info.param).name + "_" + std::get<1>(info.param).name;
                         });

TEST_P(RandomOrder, LeavesTheBitsOfListOrder) {
  const auto& [shape, variant] = GetParam();
  const auto train = [](SmallTraining& training, const Executor& executor) {
    training.run_step(executor);
    training.run_step(executor);
    training.run_deferred_update(executor);
    training.run_evaluation(executor);
  };
  SmallTraining expected(shape, variant);
  train(expected, expected.sequential());

  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    SmallTraining actual(shape, variant);
    train(actual, RandomExecutor(seed));

    EXPECT_EQ(first_difference(actual.step().tiles(), expected.step().tiles()), "")
        << "seed " << seed;
  }
}

// ---- The test can fail: some seed shows an undeclared read.

struct DeclaredRead {
  std::string op, tile;
};

// The ops that a chain of dependences puts before each op.
std::vector<std::vector<bool>> predecessors(const Program& program) {
  const std::vector<std::vector<uint32_t>> direct = dependences(program);
  std::vector<std::vector<bool>> before(direct.size(), std::vector<bool>(direct.size()));
  for (size_t op = 0; op < direct.size(); ++op) {
    for (const uint32_t id : direct[op]) {
      before[op][id] = true;
      for (size_t i = 0; i < id; ++i) before[op][i] = before[op][i] || before[id][i];
    }
  }
  return before;
}

// The reads of matrix products and attention that alone keep their op behind another one. Most
// reads do not: other tiles give the same order.
std::vector<DeclaredRead> reads_that_order(const Program& program) {
  const std::vector<std::vector<bool>> before = predecessors(program);
  std::vector<DeclaredRead> reads;
  for (size_t op = 0; op < program.ops().size(); ++op) {
    if (program.ops()[op].flops == 0.) continue;
    const std::string name = program.ops()[op].name.text();
    for (const TileId id : program.ops()[op].reads) {
      const std::string& tile = program.tiles()[id].name;
      const Program incomplete = without_declaration(program, name, tile);
      if (predecessors(incomplete)[op] != before[op]) reads.push_back({name, tile});
    }
  }
  return reads;
}

TEST(UndeclaredRead, GivesOtherBitsInSomeOrder) {
  const TrainingShape shape = training_shapes()[0];
  const TrainingVariant variant = {"clipping", 1, 0.5f};
  const auto run_program = [](SmallTraining& training, const Program& program,
                              const Executor& executor) {
    training.begin_step();
    training.fill_tokens();
    executor.prepare(program)->run();
  };
  SmallTraining expected(shape, variant);
  const std::vector<DeclaredRead> reads = reads_that_order(expected.step().program(0));
  run_program(expected, expected.step().program(0), expected.sequential());

  const auto differs = [&](const DeclaredRead& read, uint64_t seed) {
    SmallTraining actual(shape, variant);
    run_program(actual, without_declaration(actual.step().program(0), read.op, read.tile),
                RandomExecutor(seed));
    return !first_difference(actual.step().tiles(), expected.step().tiles()).empty();
  };
  EXPECT_GE(reads.size(), 10u);
  for (const DeclaredRead& read : reads) {
    constexpr uint64_t kMostSeeds = 1000;
    uint64_t seed = 0;
    while (seed < kMostSeeds && !differs(read, seed)) ++seed;
    EXPECT_LT(seed, kMostSeeds) << "no seed shows " << read.op << " without " << read.tile;
  }
}

}  // namespace
}  // namespace weft
