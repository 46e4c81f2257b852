#include "kernels/linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "support/expected_dot.h"
#include "support/test_matrix.h"

namespace weft {
namespace {

// Scratch of exactly the promised size, with a guard after it.
class Scratch {
 public:
  explicit Scratch(size_t bytes) : floats_(bytes / sizeof(float) + 1, kGuard) {}
  std::byte* data() { return reinterpret_cast<std::byte*>(floats_.data()); }
  bool guard_holds() const { return floats_.back() == kGuard; }

 private:
  static constexpr float kGuard = -12345.f;
  std::vector<float> floats_;
};

struct Shape {
  int64_t M, N, K;
};

// Odd sizes below, between and above those of panels of 64 columns and strips of 48 rows and more.
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const int64_t M : {1, 5, 130, 300}) {
    for (const int64_t N : {1, 63, 200}) {
      for (const int64_t K : {1, 129, 300}) all.push_back({M, N, K});
    }
  }
  return all;
}

class LinearTest : public testing::TestWithParam<GemmBackend> {
 protected:
  void SetUp() override {
    const bool unserved = resolve(GemmBackend::kAuto) == GemmBackend::kCblas;
    if (GetParam() == GemmBackend::kLibxsmm && unserved) GTEST_SKIP() << "no AVX2 here";
  }

  template <typename Body>
  static void for_each_shape(const Body& body) {
    for (const Shape& s : shapes()) {
      SCOPED_TRACE(testing::Message() << "M " << s.M << " N " << s.N << " K " << s.K);
      body(s);
      if (HasFatalFailure()) return;
    }
  }

  static void expect_backward_input(const Shape& s, bool accumulate) {
    TestMatrix dy = TestMatrix::normal(s.M, s.N, 1), W = TestMatrix::normal(s.N, s.K, 2);
    TestMatrix dx = TestMatrix::normal(s.M, s.K, 3), before = TestMatrix::normal(s.M, s.K, 3);
    const LinearBackwardInput<float> linear(s.M, s.N, s.K, dy.view().stride, dx.view().stride,
                                            accumulate, GetParam());
    Scratch scratch(linear.scratch_bytes());

    linear(dy, W, dx, scratch.data());

    expect_near(dx, [&](int64_t m, int64_t k) {
      return expected_dot(s.N, accumulate ? before.at(m, k) : 0.,
                          [&](int64_t n) { return std::pair(dy.at(m, n), W.at(n, k)); });
    });
    EXPECT_TRUE(scratch.guard_holds());
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, LinearTest,
                         testing::Values(GemmBackend::kLibxsmm, GemmBackend::kCblas),
                         [](const auto& info) {
                           return info.param == GemmBackend::kLibxsmm ? "Libxsmm" : "Cblas";
                         });

TEST_P(LinearTest, ForwardMatchesADoubleProduct) {
  for_each_shape([](const Shape& s) {
    TestMatrix x = TestMatrix::normal(s.M, s.K, 1), W = TestMatrix::normal(s.N, s.K, 2);
    TestMatrix y = TestMatrix::normal(s.M, s.N, 3);  // stale values, to be overwritten
    const LinearForward<float> linear(s.M, s.N, s.K, x.view().stride, y.view().stride, GetParam());
    Scratch scratch(linear.scratch_bytes());

    linear(x, W, y, scratch.data());

    expect_near(y, [&](int64_t m, int64_t n) {
      return expected_dot(s.K, 0., [&](int64_t k) { return std::pair(x.at(m, k), W.at(n, k)); });
    });
    EXPECT_TRUE(scratch.guard_holds());
  });
}

TEST_P(LinearTest, BackwardInputOverwritesWithADoubleProduct) {
  for_each_shape([](const Shape& s) { expect_backward_input(s, false); });
}

TEST_P(LinearTest, BackwardInputAddsWhenAskedTo) {
  for_each_shape([](const Shape& s) { expect_backward_input(s, true); });
}

TEST_P(LinearTest, BackwardWeightAddsADoubleProduct) {
  for_each_shape([](const Shape& s) {
    TestMatrix dy = TestMatrix::normal(s.M, s.N, 1), x = TestMatrix::normal(s.M, s.K, 2);
    TestMatrix dW = TestMatrix::normal(s.N, s.K, 3), before = TestMatrix::normal(s.N, s.K, 3);
    const LinearBackwardWeight<float> linear(s.M, s.N, s.K, dW.view().stride, true, GetParam());
    Scratch scratch(linear.scratch_bytes());

    linear(dy, x, dW, {}, scratch.data());

    expect_near(dW, [&](int64_t n, int64_t k) {
      return expected_dot(s.M, before.at(n, k),
                          [&](int64_t m) { return std::pair(dy.at(m, n), x.at(m, k)); });
    });
    EXPECT_TRUE(scratch.guard_holds());
  });
}

// An op gives a kernel a block of a larger matrix: its rows lie further apart than it is wide.
TEST_P(LinearTest, ForwardWorksOnBlocksOfLargerMatrices) {
  const Shape s = {.M = 5, .N = 67, .K = 131};
  TestMatrix x = TestMatrix::normal(11, 160, 1), W = TestMatrix::normal(90, 140, 2);
  TestMatrix y = TestMatrix::normal(11, 100, 3), before = TestMatrix::normal(11, 100, 3);
  const LinearForward<float> linear(s.M, s.N, s.K, x.view().stride, y.view().stride, GetParam());
  Scratch scratch(linear.scratch_bytes());

  linear(x.view().block(2, s.M, 3, s.K), W.view().block(7, s.N, 4, s.K),
         y.view().block(2, s.M, 9, s.N), scratch.data());

  expect_near(y, [&](int64_t m, int64_t n) -> ExpectedDot {
    const bool inside = m >= 2 && m < 2 + s.M && n >= 9 && n < 9 + s.N;
    if (!inside) return {before.at(m, n), 0.};
    return expected_dot(
        s.K, 0., [&](int64_t k) { return std::pair(x.at(m, 3 + k), W.at(7 + n - 9, 4 + k)); });
  });
}

// x is a block of columns of a wide matrix.
TEST_P(LinearTest, BackwardWeightAddsADoubleProductForWidelySpacedRows) {
  const Shape s = {.M = 300, .N = 67, .K = 131};
  TestMatrix dy = TestMatrix::normal(s.M, s.N, 1), wide = TestMatrix::normal(s.M, 3075, 2);
  const Matrix<const float> x = wide.view().col_block(700, s.K);
  TestMatrix dW = TestMatrix::normal(s.N, s.K, 3), before = TestMatrix::normal(s.N, s.K, 3);
  const LinearBackwardWeight<float> linear(s.M, s.N, s.K, dW.view().stride, true, GetParam());
  Scratch scratch(linear.scratch_bytes());

  linear(dy, x, dW, {}, scratch.data());

  expect_near(dW, [&](int64_t n, int64_t k) {
    return expected_dot(s.M, before.at(n, k),
                        [&](int64_t m) { return std::pair(dy.at(m, n), x.at(m, k)); });
  });
  EXPECT_TRUE(scratch.guard_holds());
}

TEST_P(LinearTest, GivesTheSameBitsEveryTime) {
  TestMatrix dy = TestMatrix::normal(300, 67, 1), x = TestMatrix::normal(300, 131, 2);
  TestMatrix first(67, 131), second(67, 131);
  const LinearBackwardWeight<float> linear(300, 67, 131, first.view().stride, false, GetParam());
  Scratch scratch(linear.scratch_bytes()), other_scratch(linear.scratch_bytes());

  linear(dy, x, first, {}, scratch.data());
  linear(dy, x, second, {}, other_scratch.data());

  EXPECT_EQ(first.values(), second.values());
}

// More rows than one product sums over, and more outputs than are transposed at a time.
TEST_P(LinearTest, BackwardWeightOverwritesWithADoubleProductOfManyRows) {
  const Shape s = {.M = 1100, .N = 400, .K = 70};
  TestMatrix dy = TestMatrix::normal(s.M, s.N, 1), x = TestMatrix::normal(s.M, s.K, 2);
  TestMatrix dW = TestMatrix::normal(s.N, s.K, 3);  // stale values, to be overwritten
  const LinearBackwardWeight<float> linear(s.M, s.N, s.K, dW.view().stride, false, GetParam());
  Scratch scratch(linear.scratch_bytes());

  linear(dy, x, dW, {}, scratch.data());

  expect_near(dW, [&](int64_t n, int64_t k) {
    return expected_dot(s.M, 0., [&](int64_t m) { return std::pair(dy.at(m, n), x.at(m, k)); });
  });
  EXPECT_TRUE(scratch.guard_holds());
}

TEST_P(LinearTest, BackwardWeightSumsTheColumnsOfTheGradientForTheBias) {
  for (const bool accumulate : {false, true}) {
    const Shape s = {.M = 1100, .N = 400, .K = 70};
    TestMatrix dy = TestMatrix::normal(s.M, s.N, 1), x = TestMatrix::normal(s.M, s.K, 2);
    TestMatrix dW(s.N, s.K), db = TestMatrix::normal(1, s.N, 3),
                             before = TestMatrix::normal(1, s.N, 3);
    const LinearBackwardWeight<float> linear(s.M, s.N, s.K, dW.view().stride, accumulate,
                                             GetParam());
    Scratch scratch(linear.scratch_bytes());

    linear(dy, x, dW, db.row(), scratch.data());

    expect_near(db, [&](int64_t, int64_t n) {
      return expected_dot(s.M, accumulate ? before.at(0, n) : 0.,
                          [&](int64_t m) { return std::pair(dy.at(m, n), 1.f); });
    });
  }
}

// Marks every piece that a kernel reports, to see that each element is reported once.
class Seen {
 public:
  Seen(int64_t rows, int64_t cols) : counts_(rows, cols) {}

  PieceDone observer() {
    return [this](const Piece& p, Matrix<float> /*values*/) {
      for (int64_t r = p.row; r < p.row + p.rows; ++r) {
        for (int64_t c = p.col; c < p.col + p.cols; ++c) counts_.view().at(r, c) += 1.f;
      }
    };
  }

  bool everything_once() {
    return std::ranges::all_of(counts_.values(), [](float count) { return count == 1.f; });
  }

 private:
  TestMatrix counts_;
};

TEST_P(LinearTest, ReportsEveryPieceOnceWhenItIsFinal) {
  for_each_shape([](const Shape& s) {
    TestMatrix x = TestMatrix::normal(s.M, s.K, 1), W = TestMatrix::normal(s.N, s.K, 2);
    TestMatrix y(s.M, s.N), dx(s.M, s.K), dW(s.N, s.K);
    const LinearForward<float> forward(s.M, s.N, s.K, x.view().stride, y.view().stride, GetParam());
    const LinearBackwardInput<float> input(s.M, s.N, s.K, y.view().stride, dx.view().stride, false,
                                           GetParam());
    const LinearBackwardWeight<float> weight(s.M, s.N, s.K, dW.view().stride, false, GetParam());
    Scratch scratch(
        std::max({forward.scratch_bytes(), input.scratch_bytes(), weight.scratch_bytes()}));
    Seen seen_y(s.M, s.N), seen_dx(s.M, s.K), seen_dW(s.N, s.K);

    forward(x, W, y, scratch.data(), seen_y.observer());
    input(y, W, dx, scratch.data(), seen_dx.observer());
    weight(y, x, dW, {}, scratch.data(), seen_dW.observer());

    EXPECT_TRUE(seen_y.everything_once());
    EXPECT_TRUE(seen_dx.everything_once());
    EXPECT_TRUE(seen_dW.everything_once());
  });
}

}  // namespace
}  // namespace weft
