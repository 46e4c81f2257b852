#include "model/layers/embedding.h"

#include <gtest/gtest.h>

#include "model/small_model.h"

namespace weft {
namespace {

constexpr int64_t kC = SmallModel::kConfig.C, kN = SmallModel::kN, kT = SmallModel::kT;
constexpr int32_t kTokens[kN] = {3, 130, 3, 0, 7, 9, 3, 5, 5, 0, 77, 1, 2, 130};

struct EmbeddingTest : testing::Test {
  EmbeddingTest()
      : a(allocate_embedding(model.matrices, kC)),
        dencoded(model.random_rows("dencoded", kC, 100)) {
    for (int64_t i = 0; i < kN; ++i) a.inputs.matrix().at(i, 0) = kTokens[i];
  }

  void backward(bool first = true) {
    model.run(
        [&](const LayerOps& ops) {
          append_embedding_backward(ops, model.backward_parts(first), a, dencoded);
        },
        OpName::kNone);
  }
  // Element c of the gradient of what the rows i with key(i) == value read.
  template <typename Key>
  double expected(const Key& key, int64_t value, int64_t c) const {
    double sum = 0.;
    for (int64_t i = 0; i < kN; ++i) {
      if (key(i) == value) sum += double(dencoded.matrix().at(i, c));
    }
    return sum;
  }

  SmallModel model;
  EmbeddingActivations a;
  Tiled<float> dencoded;
};

TEST_F(EmbeddingTest, ForwardAddsTheRowsOfTokenAndPosition) {
  model.run([&](const LayerOps& ops) { append_embedding_forward(ops, model.parts(), a); },
            OpName::kNone);

  const Matrix<float> wte = model.weights.get(Tensor::wte).matrix();
  const Matrix<float> wpe = model.weights.get(Tensor::wpe).matrix();
  for (int64_t i = 0; i < kN; ++i) {
    for (int64_t c = 0; c < kC; ++c) {
      EXPECT_EQ(a.encoded.matrix().at(i, c), wte.at(kTokens[i], c) + wpe.at(i % kT, c));
    }
  }
}

TEST_F(EmbeddingTest, BackwardAddsRowsOfTokensToWhatTheClassifierLeft) {
  const Matrix<float> dwte = model.dweights.get(Tensor::wte).matrix();
  dwte.at(3, 0) = 100.f;

  backward();

  EXPECT_NEAR(dwte.at(3, 0), 100. + expected([](int64_t i) { return kTokens[i]; }, 3, 0), 1e-4);
  for (int64_t c = 0; c < kC; ++c) {
    EXPECT_NEAR(dwte.at(130, c), expected([](int64_t i) { return kTokens[i]; }, 130, c), 1e-5);
    EXPECT_EQ(dwte.at(4, c), 0.f);
  }
}

TEST_F(EmbeddingTest, BackwardOverwritesTheGradientOfPositionsInTheFirstMicroStep) {
  const Matrix<float> dwpe = model.dweights.get(Tensor::wpe).matrix();
  dwpe.at(2, 1) = 100.f;

  backward();

  for (int64_t t = 0; t < kT; ++t) {
    for (int64_t c = 0; c < kC; ++c) {
      EXPECT_NEAR(dwpe.at(t, c), expected([](int64_t i) { return i % kT; }, t, c), 1e-5);
    }
  }
  EXPECT_EQ(dwpe.at(kT, 0), 0.f);
}

TEST_F(EmbeddingTest, ASinkThatTakesTheTokenRowsFindsTheGradientOfTokensUntouched) {
  model.sink.takes_rows = true;

  backward();

  EXPECT_EQ(model.dweights.get(Tensor::wte).matrix().at(3, 0), 0.f);
  EXPECT_EQ(model.sink.parameters, std::vector<std::string>{"wpe"});
}

TEST_F(EmbeddingTest, BackwardTellsTheSinkOfBothTables) {
  backward();

  EXPECT_EQ(model.sink.parameters, (std::vector<std::string>{"wte", "wpe"}));
}

}  // namespace
}  // namespace weft
