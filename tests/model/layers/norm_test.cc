#include "model/layers/norm.h"

#include <gtest/gtest.h>

#include "model/small_model.h"

namespace weft {
namespace {

constexpr int64_t kC = SmallModel::kConfig.C, kN = SmallModel::kN;

struct NormTest : testing::Test {
  NormTest()
      : x(model.random_rows("x", kC, 100)),
        dresidual(model.random_rows("dresidual", kC, 101)),
        y(allocate_norm(model.matrices, "", kLn1, kC)),
        d(allocate_norm_gradients(model.matrices, "", kLn1, model.random_rows("dout", kC, 102),
                                  "dx")) {}

  void forward() {
    model.run([&](const LayerOps& ops) { append_norm_forward(ops, model.parts(), kLn1, x, y); });
  }
  void backward(bool first = true) {
    model.run([&](const LayerOps& ops) {
      append_norm_backward(ops, model.backward_parts(first), kLn1, x, y, &dresidual, d);
    });
  }
  double loss() {
    forward();
    return weighted_sum(y.out.as<float>().matrix(), d.dout.matrix()) +
           weighted_sum(x.matrix(), dresidual.matrix());
  }

  SmallModel model;
  Tiled<float> x, dresidual;
  NormActivations y;
  NormGradients d;
};

TEST_F(NormTest, ForwardGivesRowsOfMeanZeroAndVarianceOne) {
  for (float& w : model.weights.values().vector(Tensor::ln1w)) w = 1.f;
  for (float& b : model.weights.values().vector(Tensor::ln1b)) b = 0.f;

  forward();

  const Matrix<float> out = y.out.as<float>().matrix();
  for (int64_t r = 0; r < kN; ++r) {
    double sum = 0., squares = 0.;
    for (const float value : out.row(r)) {
      sum += double(value);
      squares += double(value) * double(value);
    }
    EXPECT_NEAR(sum / kC, 0., 1e-6) << r;
    EXPECT_NEAR(squares / kC, 1., 1e-4) << r;
  }
}

TEST_F(NormTest, BackwardMatchesFiniteDifferences) {
  forward();

  backward();

  const auto check = [&](Tensor tensor) {
    expect_gradient(tensor_name(tensor), model.weights.values().matrix(tensor),
                    model.dweights.values().matrix(tensor), [&] { return loss(); });
  };
  expect_gradient("x", x.matrix(), d.dx.sum.matrix(), [&] { return loss(); });
  check(Tensor::ln1w);
  check(Tensor::ln1b);
}

TEST_F(NormTest, LaterMicroStepsAddToTheGradientsOfTheParameters) {
  forward();
  backward();
  const Vector<float> dweight = model.dweights.values().vector(Tensor::ln1w);
  const std::vector<float> once(dweight.begin(), dweight.end());

  backward(false);

  for (size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(dweight[i], 2.f * once[i], 1e-5f) << i;
}

TEST_F(NormTest, BackwardTellsTheSinkOfBothParameters) {
  backward();

  EXPECT_EQ(model.sink.parameters, (std::vector<std::string>{"block0/ln1w", "block0/ln1b"}));
  EXPECT_TRUE(model.sink.tiles.empty());
}

}  // namespace
}  // namespace weft
