// Recomputing blocks in backward saves memory and changes no bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "exec/executor.h"
#include "kernels/bf16_backend.h"
#include "step/random_state.h"
#include "step/training_step.h"
#include "support/checking_executor.h"
#include "support/error_of.h"

namespace weft {
namespace {

// There are several row tiles and column tiles, and the first three of five blocks are recomputed.
constexpr Config kDeep = {.L = 5, .NH = 3, .C = 15, .T = 53, .V = 131};
constexpr int64_t kB = 7, kT = 41;

StepSettings settings(bool recompute_blocks, int64_t micro_steps = 1, double grad_clip = 1.,
                      Precision precision = Precision::kFp32) {
  return {.B = kB,
          .T = kT,
          .micro_steps = micro_steps,
          .grad_clip = grad_clip,
          .precision = precision,
          .recompute_blocks = recompute_blocks};
}

// A model in training on random tokens. Two with the same settings hold the same bits.
class Training {
 public:
  Training(const Config& config, const StepSettings& settings)
      : micro_steps_(settings.micro_steps), state_(random_state(config, 1)) {
    // AdamW's v is a mean of squares, which must not be negative.
    for (float& v : state_.optimizer_state[1].values.data) v *= v;
    step_ = std::make_unique<TrainingStep>(state_, settings);
  }

  void run_step(const Executor& executor) {
    step_->set_step(++steps_, 1e-2);
    for (int64_t k = 0; k < micro_steps_; ++k) {
      fill_tokens();
      executor.prepare(step_->program(k))->run();
    }
  }
  void finish(const Executor& executor) {
    if (step_->begin_deferred_update()) executor.prepare(step_->deferred_update())->run();
  }

  const TrainingState& state() const { return state_; }
  const TrainingStep& step() const { return *step_; }

 private:
  void fill_tokens() {
    for (const Vector<int32_t>& tokens : {step_->inputs(), step_->targets()}) {
      for (int32_t& token : tokens) {
        token =
            static_cast<int32_t>(random_u64(2, 0, tokens_++) % uint64_t(state_.table->config().V));
      }
    }
  }

  int64_t micro_steps_, steps_ = 0;
  uint64_t tokens_ = 0;
  TrainingState state_;
  std::unique_ptr<TrainingStep> step_;
};

struct Parallelism {
  const char* executor;
  int threads;
};

void PrintTo(const Parallelism& p, std::ostream* out) { *out << p.executor << " " << p.threads; }

// Executor, micro-steps, clipping.
using Variant = std::tuple<Parallelism, int64_t, double, Precision>;

class RecomputedSteps : public testing::TestWithParam<Variant> {};

INSTANTIATE_TEST_SUITE_P(Variants, RecomputedSteps,
                         testing::Combine(testing::ValuesIn<Parallelism>({{"sequential", 1},
                                                                          {"fork-join", 3},
                                                                          {"tasks", 1},
                                                                          {"tasks", 3}}),
                                          testing::Values(1, 3), testing::Values(0., 0.5),
                                          testing::Values(Precision::kFp32, Precision::kBf16)));

TEST_P(RecomputedSteps, LeaveTheBitsOfPlainOnes) {
  const auto& [parallelism, micro_steps, grad_clip, precision] = GetParam();
  if (precision == Precision::kBf16 && !cpu_has_bf16()) GTEST_SKIP() << "no bf16 products here";
  const auto executor = make_executor(parallelism.executor, parallelism.threads);
  for (const int64_t L : {1, 2, 3, 5, 6}) {
    SCOPED_TRACE(testing::Message() << "L=" << L);
    Config config = kDeep;
    config.L = L;
    Training plain(config, settings(false, micro_steps, grad_clip, precision));
    Training recomputed(config, settings(true, micro_steps, grad_clip, precision));

    for (int i = 0; i < 3; ++i) {
      plain.run_step(*make_executor("sequential", 1));
      recomputed.run_step(*executor);

      EXPECT_EQ(std::bit_cast<uint64_t>(recomputed.step().loss()),
                std::bit_cast<uint64_t>(plain.step().loss()));
      EXPECT_EQ(std::bit_cast<uint64_t>(recomputed.step().grad_norm()),
                std::bit_cast<uint64_t>(plain.step().grad_norm()));
    }
    plain.finish(*executor);
    recomputed.finish(*executor);
    expect_same_bits(recomputed.state().weights, plain.state().weights);
    expect_same_bits(recomputed.state().dweights, plain.state().dweights);
    expect_same_optimizer_state(recomputed.state(), plain.state());
  }
}

class RecomputedDeclarations : public testing::TestWithParam<std::tuple<int64_t, double>> {};

INSTANTIATE_TEST_SUITE_P(Variants, RecomputedDeclarations,
                         testing::Combine(testing::Values(1, 3), testing::Values(0., 0.5)));

TEST_P(RecomputedDeclarations, AreComplete) {
  const auto& [micro_steps, grad_clip] = GetParam();
  const StepSettings small = {
      .B = 3, .T = 7, .micro_steps = micro_steps, .grad_clip = grad_clip, .recompute_blocks = true};
  Training checked(kDeep, small), plain(kDeep, small);

  EXPECT_EQ(error_of([&] { checked.run_step(CheckingExecutor()); }), "");
  plain.run_step(*make_executor("sequential", 1));

  EXPECT_EQ(checked.step().loss(), plain.step().loss());
  expect_same_bits(checked.state().weights, plain.state().weights);
  for (int64_t k = 0; k < micro_steps; ++k) {
    EXPECT_EQ(error_of([&] { checked.step().program(k).validate(); }), "");
  }
}

TEST(Recompute, RepeatsTheBlocksThatWereOverwrittenButNotTheirOutput) {
  const Training recomputed(kDeep, settings(true));
  const auto has_ops = [&](const std::string& prefix) {
    return std::ranges::any_of(recomputed.step().program(0).ops(),
                               [&](const Op& op) { return op.name.text().starts_with(prefix); });
  };

  EXPECT_EQ(recomputed.step().recomputed_blocks(), 3);
  for (const char* op : {"ln1", "qkv", "attention", "attproj", "ln2", "fc"}) {
    EXPECT_TRUE(has_ops(std::string("block2/again/") + op + "/forward[")) << op;
  }
  EXPECT_FALSE(has_ops("block2/again/fcproj/")) << "residual_out is kept";
  EXPECT_FALSE(has_ops("block3/again/")) << "the last two blocks are still there";
}

TEST(Recompute, CountsAsBackward) {
  const Training recomputed(kDeep, settings(true));

  for (const Op& op : recomputed.step().program(0).ops()) {
    if (op.name.kind.starts_with("again/")) {
      EXPECT_EQ(op.phase, Phase::kBackward) << op.name.text();
    }
  }
}

// A step of any depth holds two sets of the activations of a block besides its output.
TEST(Recompute, SavesTheActivationsOfAllBlocksButTwo) {
  const Training plain(kDeep, settings(false)), recomputed(kDeep, settings(true));

  // ln1, qkv, atty, residual_mid, ln2, fch; two means and rstds; lse.
  const int64_t of_a_block = kB * kT * (11 * kDeep.C + 4 + kDeep.NH);
  EXPECT_EQ(plain.step().memory_bytes() - recomputed.step().memory_bytes(),
            size_t(3 * of_a_block) * sizeof(float));
}

}  // namespace
}  // namespace weft
