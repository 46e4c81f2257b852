#include "model/layers/attention.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/small_model.h"

namespace weft {
namespace {

constexpr int64_t kC = SmallModel::kConfig.C, kN = SmallModel::kN, kT = SmallModel::kT;

struct AttentionLayerTest : testing::Test {
  AttentionLayerTest()
      : x(model.random_rows("x", kC, 100)),
        residual(model.random_rows("residual", kC, 101)),
        dy(model.random_rows("dy", kC, 102)),
        y(model.matrices.product("y", kC, kC)),
        dx(model.matrices.product("dx", kC, 3 * kC)),
        a(allocate_attention(model.matrices, "", model.config)),
        d(allocate_attention_gradients(model.matrices, "", model.config)) {}

  void forward() {
    model.run([&](const LayerOps& ops) {
      append_attention_forward(ops, model.parts(), x, residual, a, y);
    });
  }
  void backward() {
    model.run([&](const LayerOps& ops) {
      append_attention_backward(ops, model.backward_parts(), x, a, dy, d, dx);
    });
  }
  double loss() {
    forward();
    return weighted_sum(y.matrix(), dy.matrix());
  }

  SmallModel model;
  Tiled<float> x, residual, dy, y, dx;
  AttentionActivations a;
  AttentionGradients d;
};

TEST_F(AttentionLayerTest, LaterTokensAndOtherSequencesChangeNothing) {
  forward();
  const std::vector<float> before(y.matrix().data, y.matrix().data + kN * kC);
  constexpr int64_t kChanged = 3;  // of the second sequence

  x.matrix().at(kT + kChanged, 0) += 1.f;
  forward();

  for (int64_t i = 0; i < kN; ++i) {
    const bool sees_it = i >= kT + kChanged;
    const auto row = y.matrix().row(i);
    const bool is_same = std::equal(row.begin(), row.end(), before.begin() + i * kC);
    EXPECT_EQ(is_same, !sees_it) << i;
  }
}

TEST_F(AttentionLayerTest, ATokenThatSeesItselfAloneTakesItsOwnValue) {
  forward();

  const Matrix<float> qkv = a.qkv.as<float>().matrix(), atty = a.atty.as<float>().matrix();
  for (int64_t c = 0; c < kC; ++c) EXPECT_FLOAT_EQ(atty.at(kT, c), qkv.at(kT, 2 * kC + c));
}

TEST_F(AttentionLayerTest, BackwardMatchesFiniteDifferences) {
  forward();

  backward();

  const auto check = [&](Tensor tensor) {
    expect_gradient(tensor_name(tensor), model.weights.values().matrix(tensor),
                    model.dweights.values().matrix(tensor), [&] { return loss(); });
  };
  expect_gradient("x", x.matrix(), dx.matrix(), [&] { return loss(); });
  check(Tensor::qkvw);
  check(Tensor::qkvb);
  check(Tensor::attprojw);
  check(Tensor::attprojb);
}

TEST_F(AttentionLayerTest, OpsOfTheCallersCanTakeThePlaceOfTheHeads) {
  Program program("test", model.tiles);
  int64_t heads_of = -1;

  append_attention_forward({.program = program, .layer = 1}, model.parts(), x, residual, a, y,
                           [&](Program&, int64_t layer) { heads_of = layer; });

  EXPECT_EQ(heads_of, 1);
  for (const Op& op : program.ops()) EXPECT_NE(op.name.kind, "attention/forward");
}

}  // namespace
}  // namespace weft
