#include "model/layers/mlp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/small_model.h"

namespace weft {
namespace {

constexpr int64_t kC = SmallModel::kConfig.C, kN = SmallModel::kN;

double gelu(double x) {
  return 0.5 * x * (1. + std::tanh(std::sqrt(2. / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

struct MlpTest : testing::Test {
  MlpTest()
      : x(model.random_rows("x", kC, 100)),
        residual(model.random_rows("residual", kC, 101)),
        dy(model.random_rows("dy", kC, 102)),
        y(model.matrices.product("y", kC, 4 * kC)),
        dx(model.matrices.product("dx", kC, 4 * kC)),
        a{.fch = allocate_fch(model.matrices, "", kC),
          .fch_gelu = allocate_fch_gelu(model.matrices, "", kC)},
        d(allocate_mlp_gradients(model.matrices, "", kC)) {}

  void forward() {
    model.run(
        [&](const LayerOps& ops) { append_mlp_forward(ops, model.parts(), x, residual, a, y); });
  }
  void backward() {
    model.run([&](const LayerOps& ops) {
      append_mlp_backward(ops, model.backward_parts(), x, a, dy, d, dx);
    });
  }
  double loss() {
    forward();
    return weighted_sum(y.matrix(), dy.matrix());
  }
  std::vector<float> fch() const {
    const Matrix<float> m = a.fch.as<float>().matrix();
    return {m.data, m.data + m.rows * m.cols};
  }

  SmallModel model;
  Tiled<float> x, residual, dy, y, dx;
  MlpActivations a;
  MlpGradients d;
};

TEST_F(MlpTest, ForwardAppliesGeluToTheHiddenLayer) {
  forward();

  const Matrix<float> fch = a.fch.as<float>().matrix(), h = a.fch_gelu.as<float>().matrix();
  for (int64_t i = 0; i < kN; ++i) {
    for (int64_t c = 0; c < 4 * kC; ++c) {
      EXPECT_NEAR(h.at(i, c), gelu(double(fch.at(i, c))), 1e-5) << i << " " << c;
    }
  }
}

TEST_F(MlpTest, BackwardMatchesFiniteDifferences) {
  forward();

  backward();

  const auto check = [&](Tensor tensor) {
    expect_gradient(tensor_name(tensor), model.weights.values().matrix(tensor),
                    model.dweights.values().matrix(tensor), [&] { return loss(); });
  };
  expect_gradient("x", x.matrix(), dx.matrix(), [&] { return loss(); });
  check(Tensor::fcw);
  check(Tensor::fcb);
  check(Tensor::fcprojw);
  check(Tensor::fcprojb);
}

TEST_F(MlpTest, BackwardWritesGeluOnceMoreBecauseLayersShareItsMemory) {
  forward();
  const Matrix<float> h = a.fch_gelu.as<float>().matrix();
  const float before = h.at(3, 5);
  h.at(3, 5) = -77.f;

  backward();

  EXPECT_NEAR(h.at(3, 5), before, 1e-6);
}

TEST_F(MlpTest, AgainGivesTheBitsOfTheForwardPass) {
  forward();
  const std::vector<float> before = fch();
  const Matrix<float> m = a.fch.as<float>().matrix();
  std::fill_n(m.data, m.rows * m.cols, 0.f);

  model.run([&](const LayerOps& ops) { append_mlp_again(ops, model.parts(), x, a); });

  EXPECT_EQ(fch(), before);
}

}  // namespace
}  // namespace weft
