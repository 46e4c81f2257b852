#include "optim/adamw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace weft {
namespace {

constexpr AdamWSettings kSettings = {.beta1 = 0.8, .beta2 = 0.9, .eps = 1e-6, .weight_decay = 0.5};

Parameter parameter(bool decay) {
  Parameter p{};
  p.rows = 3;
  p.cols = 5;
  p.decay = decay;
  return p;
}

// A parameter (3, 5) and the rest of its unit, each inside a buffer with rows of seven elements.
struct Unit {
  Unit() : gradient(21), weights(21), m(21, 0.f), v(21, 0.f) {
    for (size_t i = 0; i < weights.size(); ++i) {
      gradient[i] = float(i) / 8.f - 1.f;
      weights[i] = 2.f - float(i) / 16.f;
    }
  }
  Matrix<float> matrix(std::vector<float>& buffer) { return {buffer.data(), 3, 5, 7}; }
  UpdateUnit unit() {
    return {
        .gradient = matrix(gradient), .weights = matrix(weights), .state = {matrix(m), matrix(v)}};
  }

  std::vector<float> gradient, weights, m, v;
};

TEST(AdamW, NamesItsTwoMomentsAndItsSettings) {
  EXPECT_EQ(AdamW().state_names(), (std::vector<std::string>{"m", "v"}));
  EXPECT_EQ(AdamW().granularity(), UpdateGranularity::kElement);
  EXPECT_EQ(AdamW().settings_text(), "beta1 0.9 beta2 0.95 eps 1e-08 decay 0.1");
  EXPECT_EQ(default_optimizer()->settings_text(), AdamW().settings_text());
}

TEST(AdamW, UpdatesAUnitAsTheFormulaSays) {
  for (const bool decay : {false, true}) {
    const AdamW adamw(kSettings);
    Unit unit;
    const Unit before;
    constexpr double kLr = 0.1, kScale = 0.25;

    const UpdateStep step{.lr = kLr, .coefficients = adamw.coefficients(3), .grad_scale = kScale};
    adamw.update(parameter(decay), step, unit.unit());

    for (size_t i = 0; i < unit.weights.size(); ++i) {
      if (i % 7 >= 5) {
        EXPECT_EQ(unit.weights[i], before.weights[i]) << "outside the unit";
        continue;
      }
      const double g = kScale * before.gradient[i];
      const double m = 0.2 * g, v = 0.1 * g * g;
      const double m_hat = m / (1. - std::pow(0.8, 3.)), v_hat = v / (1. - std::pow(0.9, 3.));
      const double w = before.weights[i] * (1. - (decay ? kLr * 0.5 : 0.)) -
                       kLr * m_hat / (std::sqrt(v_hat) + 1e-6);
      EXPECT_NEAR(unit.m[i], m, 1e-6);
      EXPECT_NEAR(unit.v[i], v, 1e-6);
      EXPECT_NEAR(unit.weights[i], w, 1e-5);
    }
  }
}

}  // namespace
}  // namespace weft
