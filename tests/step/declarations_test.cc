// Proves that every op of a training step declares all tiles that it touches. Everything that the
// executors promise rests on that.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "comm/single_process.h"
#include "kernels/bf16_backend.h"
#include "step/random_state.h"
#include "step/small_training.h"
#include "step/training_step.h"
#include "support/checking_executor.h"
#include "support/error_of.h"

namespace weft {
namespace {

std::vector<TrainingVariant> variants() {
  std::vector<TrainingVariant> all = {{"clipping", 1, 0.5f},
                                      {"without_clipping", 1, 0.f},
                                      {"three_micro_steps", 3, 0.5f},
                                      {"all_reduce", 3, 0.5f, Precision::kFp32, "all-reduce"},
                                      {"sharded", 1, 0.f, Precision::kFp32, "sharded"}};
  if (!cpu_has_bf16()) return all;
  all.push_back({"bf16_clipping", 1, 0.5f, Precision::kBf16});
  all.push_back({"bf16_three_micro_steps", 3, 0.f, Precision::kBf16});
  all.push_back({"bf16_sharded", 1, 0.5f, Precision::kBf16, "sharded"});
  return all;
}

bool has_op(const Program& program, const std::string& name) {
  return std::ranges::count(program.ops(), name, [](const Op& op) { return op.name.text(); }) == 1;
}

std::string problem_of(const Program& program) {
  return error_of([&] { program.validate(); });
}

class Declarations : public testing::TestWithParam<std::tuple<TrainingShape, TrainingVariant>> {
 protected:
  const TrainingShape& shape() const { return std::get<0>(GetParam()); }
  const TrainingVariant& variant() const { return std::get<1>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Steps, Declarations,
                         testing::Combine(testing::ValuesIn(training_shapes()),
                                          testing::ValuesIn(variants())),
                         [](const auto& info) {
                           return std::get<0>(info.param).name + "_" + std::get<1>(info.param).name;
                         });

TEST_P(Declarations, OfAStepAreComplete) {
  SmallTraining checked(shape(), variant()), plain(shape(), variant());

  EXPECT_EQ(error_of([&] { checked.run_step(CheckingExecutor()); }), "");
  plain.run_step(plain.sequential());

  EXPECT_TRUE(std::isfinite(checked.step().loss()));
  EXPECT_EQ(checked.step().loss(), plain.step().loss());
  EXPECT_EQ(error_of([&] { checked.run_deferred_update(CheckingExecutor()); }), "");
  plain.run_deferred_update(plain.sequential());
  expect_same_bits(checked.state().weights, plain.state().weights);
}

TEST_P(Declarations, OfAStepAreValidAndOfTheMeantShape) {
  SingleProcess alone;
  const TrainingState state(shape().config);
  const TrainingStep step(state, settings_of(shape(), variant(), alone));

  for (int64_t k = 0; k < variant().micro_steps; ++k) {
    for (const Program* program : step.programs(k)) EXPECT_EQ(problem_of(*program), "");
    for (const std::string& op : shape().ops) EXPECT_TRUE(has_op(step.program(k), op)) << op;
  }
  EXPECT_EQ(problem_of(step.deferred_update()), "");
  EXPECT_EQ(problem_of(step.evaluation()), "");
}

class EvaluationDeclarations : public testing::TestWithParam<TrainingShape> {};

INSTANTIATE_TEST_SUITE_P(Evaluations, EvaluationDeclarations, testing::ValuesIn(training_shapes()),
                         [](const auto& info) { return info.param.name; });

TEST_P(EvaluationDeclarations, AreComplete) {
  SmallTraining checked(GetParam(), variants()[0]), plain(GetParam(), variants()[0]);

  EXPECT_EQ(error_of([&] { checked.run_evaluation(CheckingExecutor()); }), "");
  plain.run_evaluation(plain.sequential());

  EXPECT_TRUE(std::isfinite(checked.step().loss()));
  EXPECT_EQ(checked.step().loss(), plain.step().loss());
}

// ---- The proof can fail on a real step.

// Tiles of token ids are left out: scrambled ids would be used as indices, and crash.
struct Omission {
  std::string op, tile;
};

void PrintTo(const Omission& omission, std::ostream* out) {
  *out << omission.op << " without " << omission.tile;
}

class OmittedTile : public testing::TestWithParam<Omission> {};

INSTANTIATE_TEST_SUITE_P(
    Omissions, OmittedTile,
    testing::Values(Omission{"block0/ln1/forward[r0]", "block0/ln1_rstd"},
                    Omission{"block0/ln2/forward[r0]", "weights/block0/ln2b"},
                    Omission{"block1/qkv/forward[r0,c0]", "weights/block1/qkvb"},
                    Omission{"block1/attention/forward[b1,h0]", "block1/qkv"},
                    Omission{"block1/fcproj/forward[r0,c0]", "block1/residual_mid"},
                    Omission{"classifier0/dX[r0,c0,g0]", "logits0"},
                    Omission{"block1/fcproj/dX[r0,c0]", "block1/fch"},
                    Omission{"block0/attention/backward[b2,h0]", "block0/lse[2]"},
                    Omission{"block0/fc/dW[r0,c0]", "dweights/block0/fcb"},
                    Omission{"embedding/dwte", "dweights/wte"},
                    Omission{"wte/update[0]", "norm/scale"}));

TEST_P(OmittedTile, IsNoticed) {
  SmallTraining training(training_shapes()[0], variants()[0]);
  training.begin_step();  // else no update is due
  const Program incomplete =
      without_declaration(training.step().program(0), GetParam().op, GetParam().tile);

  const std::string error = error_of([&] { CheckingExecutor().prepare(incomplete)->run(); });

  EXPECT_TRUE(mentions(error, {"[" + GetParam().op + "]", "'" + GetParam().tile + "'"}));
}

}  // namespace
}  // namespace weft
