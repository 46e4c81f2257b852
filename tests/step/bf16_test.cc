// A bf16 step has the loss and gradients of the fp32 step of the same model, within the rounding of
// bf16. The tests of fp32's bits (executors, threads, ranks) cover those of bf16 as well.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "exec/executor.h"
#include "kernels/bf16_backend.h"
#include "step/random_state.h"
#include "step/training_step.h"

namespace weft {
namespace {

constexpr Config kModel = {.L = 3, .NH = 3, .C = 48, .T = 53, .V = 131};

class Bf16Step : public testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override {
    if (!cpu_has_bf16()) GTEST_SKIP() << "this machine has no bf16 products";
  }
};

// One step on random tokens, without an update: its loss and gradients.
struct OneStep {
  explicit OneStep(Precision precision, int64_t T)
      : state(random_state(kModel, 1)),
        step(state, {.B = 5, .T = T, .micro_steps = 2, .precision = precision}) {
    for (size_t i = 0; i < step.inputs().size(); ++i) {
      step.inputs()[i] = static_cast<int32_t>(random_u64(2, 0, i) % uint64_t(kModel.V));
      step.targets()[i] = static_cast<int32_t>(random_u64(2, 1, i) % uint64_t(kModel.V));
    }
    // The first of two micro-steps has no update.
    make_executor("sequential", 1)->prepare(step.program(0))->run();
  }

  TrainingState state;
  TrainingStep step;
};

double norm(Vector<const float> x) {
  double sum = 0.;
  for (const float value : x) sum += double(value) * double(value);
  return std::sqrt(sum);
}

INSTANTIATE_TEST_SUITE_P(Lengths, Bf16Step, testing::Values(7, 41, 53));

// bf16 keeps 8 bits: an operand is off by 2^-8 of itself at most, and by a third of that in the
// mean square. A gradient passes through up to a hundred roundings of either sign on its way: their
// squares add up to sqrt(100) 2^-8 / 3, 1.3 % of its norm. Twice that is the limit; a missing term
// or a wrong layout is off by a large part of the norm.
TEST_P(Bf16Step, HasTheLossAndGradientsOfFp32) {
  constexpr double kTolerance = 0.026;

  OneStep fp32(Precision::kFp32, GetParam()), bf16(Precision::kBf16, GetParam());

  EXPECT_NEAR(bf16.step.loss() / fp32.step.loss(), 1., 1e-3);
  EXPECT_NE(bf16.step.loss(), fp32.step.loss());
  for (const Parameter& p : fp32.state.table->all()) {
    const Vector<const float> expected = fp32.state.dweights.vector(p);
    std::vector<float> difference(bf16.state.dweights.vector(p).begin(),
                                  bf16.state.dweights.vector(p).end());
    for (size_t i = 0; i < difference.size(); ++i) difference[i] -= expected[i];
    EXPECT_LT(norm(difference), kTolerance * norm(expected)) << p.name;
  }
}

// Activations that products read take half of the memory. The residual stream and the values
// between neighbouring ops stay in fp32.
TEST(Bf16Memory, IsLessThanThatOfFp32) {
  if (!cpu_has_bf16()) GTEST_SKIP() << "this machine has no bf16 products";
  OneStep fp32(Precision::kFp32, 53), bf16(Precision::kBf16, 53);

  EXPECT_LT(double(bf16.step.memory_bytes()), 0.75 * double(fp32.step.memory_bytes()));
}

}  // namespace
}  // namespace weft
