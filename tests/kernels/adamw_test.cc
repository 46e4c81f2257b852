#include "kernels/adamw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/each_target.h"
#include "support/test_matrix.h"

namespace weft {
namespace {

AdamWStep step_at(int t) {
  return {.lr = 1e-2,
          .beta1 = 0.9,
          .beta2 = 0.95,
          .eps = 1e-8,
          .weight_decay = 0.1,
          .bias_correction1 = 1 - std::pow(0.9, t),
          .bias_correction2 = 1 - std::pow(0.95, t),
          .grad_scale = 0.5};
}

struct State {
  TestMatrix param, m, v;

  void update(const AdamWStep& step, TestMatrix& grad) {
    adamw_update(step, grad.row(), param.row(), m.row(), v.row());
  }
};

// The update rule of one parameter in double, as the paper writes it.
struct Reference {
  double param, m = 0, v = 0;

  void update(const AdamWStep& s, double grad) {
    const double g = s.grad_scale * grad;
    param -= s.lr * s.weight_decay * param;
    m = s.beta1 * m + (1 - s.beta1) * g;
    v = s.beta2 * v + (1 - s.beta2) * g * g;
    const double m_hat = m / s.bias_correction1, v_hat = v / s.bias_correction2;
    param -= s.lr * m_hat / (std::sqrt(v_hat) + s.eps);
  }
};

TEST(AdamW, FirstStepMovesByTheLearningRateAgainstTheSign) {
  for_each_target([] {
    State state = {{1, 2}, {1, 2}, {1, 2}};
    TestMatrix grad(1, 2);
    grad.assign({3.f, -0.25f});
    AdamWStep step = {.lr = 0.125, .bias_correction1 = 0.1, .bias_correction2 = 0.05};

    state.update(step, grad);

    EXPECT_NEAR(state.param.at(0, 0), -0.125, 1e-7);
    EXPECT_NEAR(state.param.at(0, 1), 0.125, 1e-7);
    EXPECT_NEAR(state.m.at(0, 0), 0.3, 1e-7);
    EXPECT_NEAR(state.v.at(0, 0), 0.45, 1e-7);
  });
}

TEST(AdamW, ThreeStepsMatchTheFormulaInDouble) {
  for_each_target([] {
    for (int64_t n = 1; n <= 67; ++n) {
      State state = {TestMatrix::normal(1, n, 1), {1, n}, {1, n}};
      std::vector<Reference> reference;
      for (const float p : state.param.row()) reference.push_back({p});

      for (int t = 1; t <= 3; ++t) {
        TestMatrix grad = TestMatrix::normal(1, n, static_cast<uint64_t>(10 + t));
        state.update(step_at(t), grad);
        for (int64_t i = 0; i < n; ++i) reference[size_t(i)].update(step_at(t), grad.at(0, i));
      }

      for (int64_t i = 0; i < n; ++i) {
        // A few float roundings of values of order 1 in each of three steps.
        ASSERT_NEAR(state.param.at(0, i), reference[size_t(i)].param, 1e-6);
        ASSERT_NEAR(state.m.at(0, i), reference[size_t(i)].m, 2e-7);
        ASSERT_NEAR(state.v.at(0, i), reference[size_t(i)].v, 2e-7);
      }
      ASSERT_TRUE(state.param.guards_hold() && state.m.guards_hold() && state.v.guards_hold());
    }
  });
}

// 1 - 0.999f differs from 0.001 by 1.3e-5 of it.
TEST(AdamW, OneMinusBetaIsTakenInDouble) {
  for_each_target([] {
    State state = {{1, 1}, {1, 1}, {1, 1}};
    TestMatrix grad(1, 1);
    grad.at(0, 0) = 1.f;

    state.update({.lr = 1e-3, .beta2 = 0.999}, grad);

    EXPECT_FLOAT_EQ(state.v.at(0, 0), 0.001f);
  });
}

TEST(AdamW, ZeroGradientWithoutDecayLeavesTheParameter) {
  for_each_target([] {
    State state = {TestMatrix::normal(1, 19, 2), {1, 19}, {1, 19}};
    TestMatrix grad(1, 19);
    const std::vector<float> before = state.param.values();

    state.update({.lr = 0.1}, grad);

    EXPECT_EQ(state.param.values(), before);
  });
}

TEST(AdamW, ANanGradientReachesItsParameterAndNoOther) {
  for_each_target([] {
    State state = {TestMatrix::normal(1, 19, 2), {1, 19}, {1, 19}};
    TestMatrix grad = TestMatrix::normal(1, 19, 3);
    grad.at(0, 17) = std::nanf("");

    state.update(step_at(1), grad);

    for (int64_t i = 0; i < 19; ++i) EXPECT_EQ(std::isnan(state.param.at(0, i)), i == 17);
  });
}

TEST(AdamW, Avx2AndAvx512GiveTheSameBits) {
  expect_same_bits_on_avx2_and_avx512([] {
    State state = {TestMatrix::normal(1, 1031, 4), {1, 1031}, {1, 1031}};
    TestMatrix grad = TestMatrix::normal(1, 1031, 5);
    for (int t = 1; t <= 3; ++t) state.update(step_at(t), grad);
    return state.param.values();
  });
}

// Element i goes to lane i % 32; then the upper half of the lanes is added to the lower half.
double sum_of_squares_reference(Vector<const float> x) {
  double lanes[32] = {};
  for (size_t i = 0; i < x.size(); ++i) lanes[i % 32] += double(x[i]) * x[i];
  for (int half = 16; half > 0; half /= 2) {
    for (int k = 0; k < half; ++k) lanes[k] += lanes[k + half];
  }
  return lanes[0];
}

TEST(SumOfSquares, IsTheSameOnEveryTargetAndAtEveryAlignment) {
  for_each_target([] {
    for (int64_t n = 0; n <= 131; ++n) {
      TestMatrix x = TestMatrix::normal(1, n, 6), moved = TestMatrix::normal(1, n, 6, 1, 11);

      EXPECT_EQ(sum_of_squares(x.row()), sum_of_squares_reference(x.row())) << n;
      EXPECT_EQ(sum_of_squares(moved.row()), sum_of_squares(x.row())) << n;
    }
  });
}

TEST(SumOfSquares, NeitherOverflowsNorHidesNan) {
  for_each_target([] {
    TestMatrix x(1, 37);
    x.at(0, 36) = 1e30f;
    EXPECT_DOUBLE_EQ(sum_of_squares(x.row()), double(1e30f) * double(1e30f));

    x.at(0, 5) = std::nanf("");
    EXPECT_TRUE(std::isnan(sum_of_squares(x.row())));
  });
}

}  // namespace
}  // namespace weft
