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

struct OmittedRead {
  std::string op, tile;
};

void PrintTo(const OmittedRead& read, std::ostream* out) {
  *out << read.op << " without " << read.tile;
}

class UndeclaredRead : public testing::TestWithParam<OmittedRead> {};

INSTANTIATE_TEST_SUITE_P(
    Reads, UndeclaredRead,
    testing::Values(OmittedRead{"block1/attention/forward[b1,h0]", "block1/qkv"},
                    OmittedRead{"block1/fcproj/forward[r0,c0]", "block1/residual_mid"},
                    OmittedRead{"block1/fcproj/dX[r0,c0]", "block1/fch"},
                    OmittedRead{"block0/attention/backward[b2,h0]", "block0/lse[2]"},
                    OmittedRead{"wte/update[0]", "norm/scale"}));

TEST_P(UndeclaredRead, GivesOtherBitsInSomeOrder) {
  const TrainingShape shape = training_shapes()[0];
  const TrainingVariant variant = {"clipping", 1, 0.5f};
  const auto run_program = [](SmallTraining& training, const Program& program,
                              const Executor& executor) {
    training.begin_step();
    training.fill_tokens();
    executor.prepare(program)->run();
  };
  SmallTraining expected(shape, variant);
  run_program(expected, expected.step().program(0), expected.sequential());

  const auto differs = [&](uint64_t seed) {
    SmallTraining actual(shape, variant);
    const Program incomplete =
        without_declaration(actual.step().program(0), GetParam().op, GetParam().tile);
    run_program(actual, incomplete, RandomExecutor(seed));
    return !first_difference(actual.step().tiles(), expected.step().tiles()).empty();
  };
  constexpr uint64_t kMostSeeds = 64;
  uint64_t seed = 0;
  while (seed < kMostSeeds && !differs(seed)) ++seed;
  EXPECT_LT(seed, kMostSeeds) << "no seed found it";
}

}  // namespace
}  // namespace weft
