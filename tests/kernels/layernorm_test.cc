#include "kernels/layernorm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/each_target.h"
#include "support/test_matrix.h"

namespace weft {
namespace {

constexpr int64_t kRows = 3;

struct Forward {
  TestMatrix out, mean, rstd;
};

struct Layer {
  TestMatrix x, weight, bias;

  static Layer normal(int64_t rows, int64_t C, uint64_t seed, int64_t offset = 1) {
    return {TestMatrix::normal(rows, C, seed, 1, offset),
            TestMatrix::normal(1, C, seed + 1, 1, offset),
            TestMatrix::normal(1, C, seed + 2, 1, offset)};
  }

  Forward forward() {
    Forward f = {{x.rows(), x.cols()}, {1, x.rows()}, {1, x.rows()}};
    layernorm_forward(x, weight.row(), bias.row(), f.out, f.mean.row(), f.rstd.row());
    return f;
  }
};

struct Gradients {
  TestMatrix dx, dweight, dbias;
};

// dx starts as a gradient that the backward pass has to keep.
Gradients backward(Layer& layer, TestMatrix& dout, TestMatrix dx) {
  Forward f = layer.forward();
  Gradients g = {std::move(dx), {1, layer.x.cols()}, {1, layer.x.cols()}};
  for (int64_t c = 0; c < layer.x.cols(); ++c) g.dweight.at(0, c) = g.dbias.at(0, c) = 99.f;
  layernorm_backward(layer.x, layer.weight.row(), f.mean.row(), f.rstd.row(), dout, g.dx,
                     g.dweight.row(), g.dbias.row());
  return g;
}

std::vector<double> widened(Vector<const float> x) { return {x.begin(), x.end()}; }

// One row in double: the equation as written.
struct ReferenceRow {
  double mean = 0, rstd = 0;
  std::vector<double> out;

  ReferenceRow(const std::vector<double>& x, const std::vector<double>& weight,
               const std::vector<double>& bias) {
    const double C = static_cast<double>(x.size());
    for (const double v : x) mean += v / C;
    double variance = 0;
    for (const double v : x) variance += (v - mean) * (v - mean) / C;
    rstd = 1 / std::sqrt(variance + kLayernormEps);
    for (size_t c = 0; c < x.size(); ++c) out.push_back((x[c] - mean) * rstd * weight[c] + bias[c]);
  }
};

TEST(Layernorm, ForwardMatchesADoubleReference) {
  for_each_target([] {
    for (int64_t C = 1; C <= 67; ++C) {
      Layer layer = Layer::normal(kRows, C, 10);

      Forward f = layer.forward();

      for (int64_t r = 0; r < kRows; ++r) {
        const ReferenceRow want(widened(layer.x.row(r)), widened(layer.weight.row()),
                                widened(layer.bias.row()));
        ASSERT_NEAR(f.mean.at(0, r), want.mean, 2e-7);
        ASSERT_NEAR(f.rstd.at(0, r) / want.rstd, 1, 2e-6);
        // The error of rstd times values up to about 4 times 3.
        for (int64_t c = 0; c < C; ++c) ASSERT_NEAR(f.out.at(r, c), want.out[size_t(c)], 5e-6);
      }
      ASSERT_TRUE(f.out.guards_hold() && f.mean.guards_hold() && f.rstd.guards_hold());
    }
  });
}

// E[x^2] - E[x]^2 in float would lose every digit of this variance.
TEST(Layernorm, ForwardKeepsASmallVarianceOnALargeMean) {
  for_each_target([] {
    Layer layer = Layer::normal(1, 768, 20);
    for (float& x : layer.x.row()) x += 4096.f;
    const ReferenceRow want(widened(layer.x.row()), widened(layer.weight.row()),
                            widened(layer.bias.row()));

    Forward f = layer.forward();

    EXPECT_NEAR(f.rstd.at(0, 0) / want.rstd, 1, 1e-5);
  });
}

// The loss sum(out * dout), in double, and its central differences.
class ReferenceLoss {
 public:
  ReferenceLoss(Layer& layer, TestMatrix& dout)
      : weight(widened(layer.weight.row())), bias(widened(layer.bias.row())) {
    for (int64_t r = 0; r < layer.x.rows(); ++r) {
      x.push_back(widened(layer.x.row(r)));
      dout_.push_back(widened(dout.row(r)));
    }
  }

  double derivative(double& parameter) {
    constexpr double kStep = 1e-4;
    const double original = parameter;
    parameter = original + kStep;
    const double above = loss();
    parameter = original - kStep;
    const double below = loss();
    parameter = original;
    return (above - below) / (2 * kStep);
  }

  std::vector<std::vector<double>> x;
  std::vector<double> weight, bias;

 private:
  double loss() const {
    double sum = 0;
    for (size_t r = 0; r < x.size(); ++r) {
      const ReferenceRow row(x[r], weight, bias);
      for (size_t c = 0; c < weight.size(); ++c) sum += row.out[c] * dout_[r][c];
    }
    return sum;
  }

  std::vector<std::vector<double>> dout_;
};

// Relative to the gradient where it is large: float arithmetic, plus the h^2 of the differences.
void expect_gradient(float got, double want) {
  EXPECT_NEAR(got, want, 2e-5 * (1 + std::abs(want)));
}

TEST(Layernorm, BackwardMatchesFiniteDifferences) {
  for_each_target([] {
    for (const int64_t C : {1, 3, 7, 15, 16, 17, 31, 33, 67}) {
      SCOPED_TRACE(C);
      Layer layer = Layer::normal(kRows, C, 30);
      TestMatrix dout = TestMatrix::normal(kRows, C, 40), before = TestMatrix::normal(kRows, C, 41);
      ReferenceLoss reference(layer, dout);

      Gradients g = backward(layer, dout, TestMatrix::normal(kRows, C, 41));

      for (int64_t c = 0; c < C; ++c) {
        const size_t i = static_cast<size_t>(c);
        for (int64_t r = 0; r < kRows; ++r) {
          const double dx = reference.derivative(reference.x[size_t(r)][i]);
          expect_gradient(g.dx.at(r, c), before.at(r, c) + dx);
        }
        expect_gradient(g.dweight.at(0, c), reference.derivative(reference.weight[i]));
        expect_gradient(g.dbias.at(0, c), reference.derivative(reference.bias[i]));
      }
      EXPECT_TRUE(g.dx.guards_hold() && g.dweight.guards_hold() && g.dbias.guards_hold());
    }
  });
}

TEST(Layernorm, BackwardOfNoRowsGivesZeroParameterGradients) {
  for_each_target([] {
    Layer layer = Layer::normal(0, 19, 50);
    TestMatrix dout(0, 19);

    Gradients g = backward(layer, dout, TestMatrix(0, 19));

    EXPECT_EQ(g.dweight.values(), std::vector<float>(19));
    EXPECT_EQ(g.dbias.values(), std::vector<float>(19));
  });
}

TEST(Layernorm, ARowDependsNeitherOnAlignmentNorOnItsNeighbours) {
  for_each_target([] {
    for (const int64_t C : {5, 16, 61, 768}) {
      Layer together = Layer::normal(kRows, C, 60);
      TestMatrix dout = TestMatrix::normal(kRows, C, 61);
      Gradients all = backward(together, dout, TestMatrix(kRows, C));

      for (int64_t r = 0; r < kRows; ++r) {
        Layer alone = Layer::normal(kRows, C, 60, 6);
        alone.x = TestMatrix(1, C, 9);
        TestMatrix dout_row(1, C, 4);
        std::ranges::copy(together.x.row(r), alone.x.row().begin());
        std::ranges::copy(dout.row(r), dout_row.row().begin());

        Gradients g = backward(alone, dout_row, TestMatrix(1, C, 2));

        EXPECT_TRUE(std::ranges::equal(alone.forward().out.row(), together.forward().out.row(r)));
        EXPECT_TRUE(std::ranges::equal(g.dx.row(), all.dx.row(r)));
      }
    }
  });
}

TEST(Layernorm, ANanOrAnInfinityFillsItsRowAndNoOther) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    for_each_target([&] {
      Layer layer = Layer::normal(kRows, 37, 70);
      layer.x.at(1, 36) = bad;

      Forward f = layer.forward();

      for (const float out : f.out.row(1)) EXPECT_TRUE(std::isnan(out));
      for (const float out : f.out.row(0)) EXPECT_TRUE(std::isfinite(out));
      for (const float out : f.out.row(2)) EXPECT_TRUE(std::isfinite(out));
    });
  }
}

TEST(Layernorm, Avx2AndAvx512GiveTheSameBits) {
  expect_same_bits_on_avx2_and_avx512([] {
    Layer layer = Layer::normal(5, 769, 80);
    TestMatrix dout = TestMatrix::normal(5, 769, 81);
    std::vector<float> bits = layer.forward().out.values();
    Gradients g = backward(layer, dout, TestMatrix(5, 769));
    for (TestMatrix* m : {&g.dx, &g.dweight, &g.dbias}) {
      const std::vector<float> more = m->values();
      bits.insert(bits.end(), more.begin(), more.end());
    }
    return bits;
  });
}

}  // namespace
}  // namespace weft
