#include "model/layers/classifier.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/small_model.h"

namespace weft {
namespace {

constexpr int64_t kC = SmallModel::kConfig.C, kN = SmallModel::kN, kV = SmallModel::kConfig.V;

struct ClassifierTest : testing::Test {
  ClassifierTest()
      : x(model.random_rows("x", kC, 100)),
        a(allocate_classifier(model.matrices, model.config)),
        d(allocate_classifier_gradients(model.matrices, model.config)) {
    for (int64_t i = 0; i < kN; ++i) a.targets.matrix().at(i, 0) = int32_t(i * 37 % kV);
  }

  double loss(const MicroStep& micro = {.tokens_per_step = kN}) {
    model.run([&](const LayerOps& ops) { append_loss(ops.program, model.parts(), x, a, micro); });
    return a.loss.matrix().at(0, 0);
  }
  void loss_with_gradients(const MicroStep& micro = {.tokens_per_step = kN}) {
    model.run([&](const LayerOps& ops) {
      append_loss_with_gradients(ops.program, model.parts(), x, a, d,
                                 model.dweights.get(Tensor::wte), micro);
    });
  }
  Matrix<float> wte() const { return model.weights.get(Tensor::wte).matrix(); }
  Matrix<float> dwte() const { return model.dweights.get(Tensor::wte).matrix(); }

  SmallModel model;
  Tiled<float> x;
  ClassifierActivations a;
  ClassifierGradients d;
};

TEST_F(ClassifierTest, LossIsMinusTheLogarithmOfTheSoftmaxOfTheTarget) {
  const double mean = loss();

  double sum = 0.;
  for (int64_t i = 0; i < kN; ++i) {
    double total = 0., of_target = 0.;
    for (int64_t v = 0; v < kV; ++v) {
      double logit = 0.;
      for (int64_t c = 0; c < kC; ++c)
        logit += double(x.matrix().at(i, c)) * double(wte().at(v, c));
      total += std::exp(logit);
      if (v == a.targets.matrix().at(i, 0)) of_target = logit;
    }
    const double expected = std::log(total) - of_target;
    EXPECT_NEAR(a.losses.matrix().at(i, 0), expected, 1e-4) << i;
    sum += expected;
  }
  EXPECT_NEAR(mean, sum / kN, 1e-4);
}

TEST_F(ClassifierTest, LossOfEqualLogitsIsTheLogarithmOfTheVocabulary) {
  SmallModel::fill(wte(), 0, 0.);

  EXPECT_NEAR(loss(), std::log(double(kV)), 1e-5);
}

TEST_F(ClassifierTest, GradientsMatchFiniteDifferences) {
  loss_with_gradients({.tokens_per_step = 1});

  const auto sum_of_losses = [&] { return loss({.tokens_per_step = 1}); };
  expect_gradient("x", x.matrix(), d.dx.matrix(), sum_of_losses);
  expect_gradient("wte", wte().row_block(0, kV), dwte().row_block(0, kV), sum_of_losses);
}

TEST_F(ClassifierTest, PaddedRowsOfTheEmbeddingHaveNoGradient) {
  loss_with_gradients();

  for (int64_t v = kV; v < model.config.Vp(); ++v) {
    for (const float value : dwte().row(v)) ASSERT_EQ(value, 0.f) << v;
  }
}

TEST_F(ClassifierTest, LaterMicroStepsAddToTheLossAndToTheGradientOfTheEmbedding) {
  loss_with_gradients();
  const double once = a.loss.matrix().at(0, 0);
  const float dwte_once = dwte().at(0, 0);

  loss_with_gradients({.first = false, .tokens_per_step = kN});

  EXPECT_DOUBLE_EQ(a.loss.matrix().at(0, 0), 2. * once);
  EXPECT_NEAR(dwte().at(0, 0), 2.f * dwte_once, 1e-6f);
}

}  // namespace
}  // namespace weft
