// Proves that every op of a training step declares all tiles that it touches: on that rests all
// that the executors promise.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "base/rng.h"
#include "comm/single_process.h"
#include "kernels/bf16_backend.h"
#include "run/initialize.h"
#include "step/random_state.h"
#include "step/training_step.h"
#include "support/checking_executor.h"
#include "support/error_of.h"

namespace weft {
namespace {

struct Shape {
  std::string name;
  Config config;
  int64_t B, T;
  std::vector<std::string> ops;  // some that only exist if the shape is cut as it is meant to be
};

void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

// Odd sizes, each large in another dimension, so that each is cut into several tiles somewhere.
std::vector<Shape> shapes() {
  return {
      {"one_tile", {.L = 2, .NH = 3, .C = 15, .T = 11, .V = 31}, 3, 7, {"block1/qkv/dW[r0,c0]"}},
      {"row_tiles",
       {.L = 2, .NH = 3, .C = 12, .T = 43, .V = 300},
       26,
       41,
       {"block1/fc/forward[r1,c0]", "block1/ln1/backward[r16]", "classifier0/logits[v2]"}},
      {"classifier_chunks",
       {.L = 1, .NH = 2, .C = 6, .T = 37, .V = 31},
       29,
       37,
       {"classifier1/dX_sum[r0,c0]"}},
      {"vocabulary_groups",
       {.L = 1, .NH = 3, .C = 9, .T = 7, .V = 4200},
       3,
       7,
       {"classifier0/logits[v8]", "classifier0/dX[r0,c0,g7]"}},
      {"columns_and_heads",
       {.L = 1, .NH = 3, .C = 195, .T = 137, .V = 31},
       2,
       131,
       {"block0/qkv/forward[r0,c1]", "block0/attention/backward[b1,h2]", "block0/fc/dW[r2,c0]",
        "block0/fcproj/dW[r0,c1]", "embedding/dwpe[1]"}},
  };
}

struct Variant {
  std::string name;
  int64_t micro_steps;
  float grad_clip;
  Precision precision = Precision::kFp32;
  // Of a rank among others, as far as one can be that is alone: with the ops of a Distribution,
  // whose transfers are over at once.
  std::string strategy = {};
};

void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

std::vector<Variant> variants() {
  std::vector<Variant> all = {{"clipping", 1, 0.5f},
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

StepSettings settings_of(const Shape& shape, const Variant& variant, Communicator& alone) {
  StepSettings settings{.B = shape.B,
                        .T = shape.T,
                        .micro_steps = variant.micro_steps,
                        .adamw = {.grad_clip = variant.grad_clip},
                        .precision = variant.precision};
  if (!variant.strategy.empty()) {
    settings.communicator = &alone;
    settings.distribution = {.strategy = variant.strategy, .bucket_mb = 0.01, .reproducible = true};
  }
  return settings;
}

// A model in training. Two of the same shape and variant are the same, bit for bit.
class Training {
 public:
  Training(const Shape& shape, const Variant& variant)
      : shape_(shape), variant_(variant), state_(shape.config) {
    initialize(state_.weights, 1, *sequential_);
    // One step beforehand: biases, moments and all buffers then hold numbers that matter.
    run_step(*sequential_);
  }

  void begin_step() { step_.set_step(++steps_, 1e-2); }
  void run_step(const Executor& executor) {
    begin_step();
    for (int64_t k = 0; k < variant_.micro_steps; ++k) {
      fill_tokens();
      for (const Program* program : step_.programs(k)) executor.prepare(*program)->run();
    }
  }
  void run_deferred_update(const Executor& executor) {
    if (step_.begin_deferred_update()) executor.prepare(step_.deferred_update())->run();
  }
  void run_evaluation(const Executor& executor) {
    fill_tokens();
    executor.prepare(step_.evaluation())->run();
  }

  const Executor& sequential() const { return *sequential_; }
  const TrainingState& state() const { return state_; }
  const TrainingStep& step() const { return step_; }

 private:
  void fill_tokens() {
    ++batches_;
    for (const Vector<int32_t>& tokens : {step_.inputs(), step_.targets()}) {
      for (int32_t& token : tokens) {
        token = static_cast<int32_t>(random_u64(2, batches_, tokens_++) %
                                     static_cast<uint64_t>(shape_.config.V));
      }
    }
  }

  Shape shape_;
  Variant variant_;
  std::unique_ptr<Executor> sequential_ = make_executor("sequential", 1);
  SingleProcess alone_;
  TrainingState state_;
  TrainingStep step_{state_, settings_of(shape_, variant_, alone_)};
  int64_t steps_ = 0;
  uint64_t batches_ = 0, tokens_ = 0;
};

bool has_op(const Program& program, const std::string& name) {
  return std::ranges::count(program.ops(), name, &Op::name) == 1;
}

std::string problem_of(const Program& program) {
  return error_of([&] { program.validate(); });
}

class Declarations : public testing::TestWithParam<std::tuple<Shape, Variant>> {
 protected:
  const Shape& shape() const { return std::get<0>(GetParam()); }
  const Variant& variant() const { return std::get<1>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Steps, Declarations,
                         testing::Combine(testing::ValuesIn(shapes()),
                                          testing::ValuesIn(variants())),
                         [](const auto& info) {
                           return std::get<0>(info.param).name + "_" + std::get<1>(info.param).name;
                         });

TEST_P(Declarations, OfAStepAreComplete) {
  Training checked(shape(), variant()), plain(shape(), variant());

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

class EvaluationDeclarations : public testing::TestWithParam<Shape> {};

INSTANTIATE_TEST_SUITE_P(Evaluations, EvaluationDeclarations, testing::ValuesIn(shapes()),
                         [](const auto& info) { return info.param.name; });

TEST_P(EvaluationDeclarations, AreComplete) {
  Training checked(GetParam(), variants()[0]), plain(GetParam(), variants()[0]);

  EXPECT_EQ(error_of([&] { checked.run_evaluation(CheckingExecutor()); }), "");
  plain.run_evaluation(plain.sequential());

  EXPECT_TRUE(std::isfinite(checked.step().loss()));
  EXPECT_EQ(checked.step().loss(), plain.step().loss());
}

// ---- The proof must be able to fail on a real step.

// The program, but op `op` does not declare `tile`.
Program without(const Program& program, const std::string& op, const std::string& tile) {
  Program result("incomplete", program.tiles());
  const auto is_tile = [&](TileId id) { return program.tiles()[id].name == tile; };
  for (Op copy : program.ops()) {
    if (copy.name == op) {
      const size_t removed =
          std::erase_if(copy.reads, is_tile) + std::erase_if(copy.writes, is_tile);
      EXPECT_EQ(removed, 1u) << op << " does not declare " << tile;
    }
    result.add(std::move(copy));
  }
  return result;
}

// Not of a tile of token ids: scrambled ids would be used as indices, and crash.
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
  Training training(shapes()[0], variants()[0]);
  training.begin_step();  // else no update is due
  const Program incomplete = without(training.step().program(0), GetParam().op, GetParam().tile);

  const std::string error = error_of([&] { CheckingExecutor().prepare(incomplete)->run(); });

  EXPECT_TRUE(mentions(error, {"[" + GetParam().op + "]", "'" + GetParam().tile + "'"}));
}

}  // namespace
}  // namespace weft
