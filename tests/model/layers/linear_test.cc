#include "model/layers/linear.h"

#include <gtest/gtest.h>

#include "model/layers/attention.h"
#include "model/small_model.h"

namespace weft {
namespace {

constexpr int64_t kC = SmallModel::kConfig.C, kN = SmallModel::kN;

// attproj, whose weight is (C, C).
struct LinearTest : testing::Test {
  LinearTest()
      : x(model.random_rows("x", kC, 100)),
        dy(model.random_rows("dy", kC, 101)),
        y(model.matrices.product("y", kC, kC)),
        dx(model.matrices.product("dx", kC, kC)) {}

  void forward(const Epilogue& epilogue) {
    model.run([&](const LayerOps& ops) {
      append_linear_forward(ops, model.parts(), kAttproj, x, y, epilogue);
    });
  }
  void backward(bool first = true) {
    model.run([&](const LayerOps& ops) {
      append_linear_backward(ops, model.backward_parts(first), kAttproj, x, dy, dx);
    });
  }
  double loss() {
    forward(bias_epilogue(bias(), y));
    return weighted_sum(y.matrix(), dy.matrix());
  }
  const Tiled<float>& bias() const { return model.weights.get(Tensor::attprojb); }

  SmallModel model;
  Tiled<float> x, dy, y, dx;
};

TEST_F(LinearTest, ForwardIsTheProductPlusTheBias) {
  forward(bias_epilogue(bias(), y));

  const Matrix<float> W = model.weights.get(Tensor::attprojw).matrix();
  for (int64_t r = 0; r < kN; ++r) {
    for (int64_t c = 0; c < kC; ++c) {
      double expected = bias().matrix().at(0, c);
      for (int64_t k = 0; k < kC; ++k) expected += double(x.matrix().at(r, k)) * double(W.at(c, k));
      EXPECT_NEAR(y.matrix().at(r, c), expected, 1e-5) << r << " " << c;
    }
  }
}

TEST_F(LinearTest, ResidualEpilogueAddsTheResidualToThat) {
  forward(bias_epilogue(bias(), y));
  std::vector<float> expected(y.matrix().data, y.matrix().data + kN * kC);
  for (int64_t i = 0; i < kN * kC; ++i) expected[size_t(i)] += dy.matrix().data[i];

  forward(residual_epilogue(bias(), dy, y));

  for (int64_t i = 0; i < kN * kC; ++i) EXPECT_NEAR(y.matrix().data[i], expected[size_t(i)], 1e-6);
}

TEST_F(LinearTest, BackwardMatchesFiniteDifferences) {
  backward();

  const auto check = [&](Tensor tensor) {
    expect_gradient(tensor_name(tensor), model.weights.values().matrix(tensor),
                    model.dweights.values().matrix(tensor), [&] { return loss(); });
  };
  expect_gradient("x", x.matrix(), dx.matrix(), [&] { return loss(); });
  check(Tensor::attprojw);
  check(Tensor::attprojb);
}

TEST_F(LinearTest, LaterMicroStepsAddToTheGradientsOfTheParameters) {
  backward();
  const Vector<float> dW = model.dweights.values().vector(Tensor::attprojw);
  const std::vector<float> once(dW.begin(), dW.end());

  backward(false);

  for (size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(dW[i], 2.f * once[i], 1e-4f) << i;
}

TEST_F(LinearTest, TheSinkRidesOnTilesOfTheWeightAndHearsOfTheBias) {
  backward();

  EXPECT_EQ(model.sink.tiles, std::vector<std::string>{"block0/attprojw"});
  EXPECT_EQ(model.sink.parameters, std::vector<std::string>{"block0/attprojb"});
}

}  // namespace
}  // namespace weft
