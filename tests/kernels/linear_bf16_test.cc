#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kernels/linear.h"
#include "support/bf16_matrix.h"
#include "support/error_of.h"
#include "support/expected_dot.h"
#include "support/test_matrix.h"

namespace weft {
namespace {

// Scratch of the promised size and alignment, with a guard after it; NaN at first.
class Scratch {
 public:
  explicit Scratch(size_t bytes)
      : bytes_(bytes),
        memory_(static_cast<std::byte*>(std::aligned_alloc(64, (bytes / 64 + 1) * 64)), std::free) {
    std::fill_n(memory_.get(), (bytes / 64 + 1) * 64, kGuard);
  }
  std::byte* data() { return memory_.get(); }
  bool guard_holds() const { return memory_.get()[bytes_] == kGuard; }

 private:
  static constexpr std::byte kGuard{0xFF};
  size_t bytes_;
  std::unique_ptr<std::byte, decltype(&std::free)> memory_;
};

float rounded(float value) { return to_float(to_bfloat16(value)); }

struct Shape {
  int64_t M, N, K;
};

// On operands that are bf16, whose products are exact in fp32: the bounds are those of fp32 sums.
class LinearBf16Test : public testing::Test {
 protected:
  void SetUp() override {
    if (!cpu_has_bf16()) GTEST_SKIP() << "this machine has no bf16 products";
  }

  // Odd sizes below, between and above those of panels of 32 columns, pieces of 128 columns and
  // strips of 256 rows; weight gradients sum over 1,024 rows at a time.
  template <typename Body>
  static void for_each_shape(const Body& body) {
    for (const Shape& s : {Shape{1, 1, 1}, Shape{5, 3, 129}, Shape{300, 200, 33}, Shape{257, 31, 7},
                           Shape{1031, 131, 15}, Shape{64, 385, 130}}) {
      SCOPED_TRACE(testing::Message() << "M " << s.M << " N " << s.N << " K " << s.K);
      body(s);
      if (HasFatalFailure()) return;
    }
  }
};

TEST_F(LinearBf16Test, ForwardIsXTimesRoundedWTransposed) {
  for_each_shape([](const Shape& s) {
    Bf16Matrix x = Bf16Matrix::normal(s.M, s.K, 1);
    TestMatrix W = TestMatrix::normal(s.N, s.K, 2), y(s.M, s.N);
    const LinearForward<BFloat16> forward(s.M, s.N, s.K, x.view().stride, y.view().stride);
    Scratch scratch(forward.scratch_bytes());

    forward(x.view(), W, y, scratch.data());

    EXPECT_TRUE(scratch.guard_holds());
    expect_near(y, [&](int64_t m, int64_t n) {
      return expected_dot(s.K, 0.,
                          [&](int64_t k) { return std::pair(x.value(m, k), rounded(W.at(n, k))); });
    });
  });
}

TEST_F(LinearBf16Test, BackwardInputIsDyTimesRoundedW) {
  for (const bool accumulate : {false, true}) {
    for_each_shape([accumulate](const Shape& s) {
      Bf16Matrix dy = Bf16Matrix::normal(s.M, s.N, 1);
      TestMatrix W = TestMatrix::normal(s.N, s.K, 2), dx = TestMatrix::normal(s.M, s.K, 3);
      TestMatrix before = TestMatrix::normal(s.M, s.K, 3);
      const LinearBackwardInput<BFloat16> input(s.M, s.N, s.K, dy.view().stride, dx.view().stride,
                                                accumulate);
      Scratch scratch(input.scratch_bytes());

      input(dy.view(), W, dx, scratch.data());

      EXPECT_TRUE(scratch.guard_holds());
      expect_near(dx, [&](int64_t m, int64_t k) {
        return expected_dot(s.N, accumulate ? before.at(m, k) : 0., [&](int64_t n) {
          return std::pair(dy.value(m, n), rounded(W.at(n, k)));
        });
      });
    });
  }
}

TEST_F(LinearBf16Test, BackwardWeightIsDyTransposedTimesX) {
  for (const bool accumulate : {false, true}) {
    for_each_shape([accumulate](const Shape& s) {
      Bf16Matrix dy = Bf16Matrix::normal(s.M, s.N, 1), x = Bf16Matrix::normal(s.M, s.K, 2);
      TestMatrix dW = TestMatrix::normal(s.N, s.K, 3), db = TestMatrix::normal(1, s.N, 4);
      TestMatrix dW_before = TestMatrix::normal(s.N, s.K, 3);
      TestMatrix db_before = TestMatrix::normal(1, s.N, 4);
      const LinearBackwardWeight<BFloat16> weight(s.M, s.N, s.K, dW.view().stride, accumulate);
      Scratch scratch(weight.scratch_bytes());

      weight(dy.view(), x.view(), dW, db.row(), scratch.data());

      EXPECT_TRUE(scratch.guard_holds());
      expect_near(dW, [&](int64_t n, int64_t k) {
        return expected_dot(s.M, accumulate ? dW_before.at(n, k) : 0.,
                            [&](int64_t m) { return std::pair(dy.value(m, n), x.value(m, k)); });
      });
      expect_near(db, [&](int64_t, int64_t n) {
        return expected_dot(s.M, accumulate ? db_before.at(0, n) : 0.,
                            [&](int64_t m) { return std::pair(dy.value(m, n), 1.f); });
      });
    });
  }
}

// Collects the pieces that a kernel reports.
class Collected {
 public:
  Collected(int64_t rows, int64_t cols) : values_(rows, cols), counts_(rows, cols) {}

  PieceDone observer() {
    return [this](const Piece& p, Matrix<float> values) {
      for (int64_t r = 0; r < p.rows; ++r) {
        for (int64_t c = 0; c < p.cols; ++c) {
          values_.at(p.row + r, p.col + c) = values.at(r, c);
          counts_.at(p.row + r, p.col + c) += 1.f;
        }
      }
    };
  }
  std::vector<float> values() { return values_.values(); }
  bool everything_once() {
    return std::ranges::all_of(counts_.values(), [](float count) { return count == 1.f; });
  }

 private:
  TestMatrix values_, counts_;
};

TEST_F(LinearBf16Test, PiecesInScratchHaveTheBitsOfAResultInPlace) {
  for_each_shape([](const Shape& s) {
    Bf16Matrix x = Bf16Matrix::normal(s.M, s.K, 1), dy = Bf16Matrix::normal(s.M, s.N, 2);
    TestMatrix W = TestMatrix::normal(s.N, s.K, 3), y(s.M, s.N), dx(s.M, s.K), dW(s.N, s.K);
    const int64_t ldx = x.view().stride, lddy = dy.view().stride;
    const LinearForward<BFloat16> forward(s.M, s.N, s.K, ldx, y.view().stride),
        pieces_of_y(s.M, s.N, s.K, ldx, 0);
    const LinearBackwardInput<BFloat16> input(s.M, s.N, s.K, lddy, dx.view().stride, false),
        pieces_of_dx(s.M, s.N, s.K, lddy, 0, false);
    const LinearBackwardWeight<BFloat16> weight(s.M, s.N, s.K, dW.view().stride, false);
    Scratch scratch(std::max(
        {pieces_of_y.scratch_bytes(), pieces_of_dx.scratch_bytes(), weight.scratch_bytes()}));
    Collected some_y(s.M, s.N), some_dx(s.M, s.K), some_dW(s.N, s.K);

    forward(x.view(), W, y, scratch.data());
    pieces_of_y(x.view(), W, {}, scratch.data(), some_y.observer());
    input(dy.view(), W, dx, scratch.data());
    pieces_of_dx(dy.view(), W, {}, scratch.data(), some_dx.observer());
    weight(dy.view(), x.view(), dW, {}, scratch.data(), some_dW.observer());

    EXPECT_TRUE(some_y.everything_once() && some_dx.everything_once() && some_dW.everything_once());
    EXPECT_EQ(some_y.values(), y.values());
    EXPECT_EQ(some_dx.values(), dx.values());
    EXPECT_EQ(some_dW.values(), dW.values());
    EXPECT_TRUE(scratch.guard_holds());
  });
}

TEST_F(LinearBf16Test, RefusesToAddToWhatIsOnlyInScratch) {
  EXPECT_NE(error_of([] { LinearBackwardInput<BFloat16>(4, 4, 4, 4, 0, true); }), "");
}

}  // namespace
}  // namespace weft
