#include "kernels/cross_entropy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "support/each_target.h"

namespace weft {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Logits in column blocks that start off alignment, with a loss per row.
class Problem {
 public:
  Problem(int64_t rows, int64_t V, int64_t Vp, int64_t block_cols, double scale = 1,
          uint64_t seed = 1)
      : V_(V), memory_(static_cast<size_t>(1 + rows * Vp)), losses_(static_cast<size_t>(rows)) {
    logits_ = {memory_.data() + 1, rows, Vp, block_cols};
    for (int64_t r = 0; r < rows; ++r) {
      targets_.push_back(static_cast<int32_t>((7 * r + 3) % V));
      for (int64_t c = 0; c < Vp; ++c) {
        at(r, c) = static_cast<float>(scale * random_normal(seed, uint64_t(r), uint64_t(c)));
      }
    }
  }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  int64_t rows() const { return logits_.rows; }
  int64_t V() const { return V_; }
  int64_t Vp() const { return logits_.cols; }
  int32_t& target(int64_t r) { return targets_[size_t(r)]; }
  float loss(int64_t r) const { return losses_[size_t(r)]; }
  const std::vector<float>& losses() const { return losses_; }
  const std::vector<float>& memory() const { return memory_; }
  float& at(int64_t r, int64_t c) {
    return logits_.block(c / logits_.block_cols).at(r, c % logits_.block_cols);
  }

  void forward() { cross_entropy_forward(logits_, 0, V_, targets_, losses_); }
  void forward_backward(float scale) { forward_backward_rows(0, rows(), scale); }
  void forward_backward_rows(int64_t row, int64_t n, float scale) {
    const auto first = static_cast<size_t>(row), count = static_cast<size_t>(n);
    cross_entropy_forward_backward(logits_, row, V_,
                                   Vector<const int32_t>(targets_).subspan(first, count), scale,
                                   Vector<float>(losses_).subspan(first, count));
  }

  std::vector<double> row_in_double(int64_t r) {
    std::vector<double> row;
    for (int64_t c = 0; c < V_; ++c) row.push_back(at(r, c));
    return row;
  }

 private:
  int64_t V_;
  std::vector<float> memory_;
  ColumnBlocks logits_;
  std::vector<int32_t> targets_;
  std::vector<float> losses_;
};

double reference_loss(const std::vector<double>& logits, int32_t target) {
  const double max = *std::ranges::max_element(logits);
  double rest = 0;  // all but the maximum, whose term is 1
  for (const double x : logits) rest += std::exp(x - max);
  return std::log1p(rest - 1) + (max - logits[size_t(target)]);
}

TEST(CrossEntropy, EqualLogitsGiveTheLogarithmOfTheirNumber) {
  for_each_target([] {
    Problem p(1, 2, 4, 4);
    p.at(0, 0) = p.at(0, 1) = 5.f;
    p.target(0) = 1;

    p.forward_backward(8.f);

    EXPECT_FLOAT_EQ(p.loss(0), std::log(2.f));
    EXPECT_EQ(p.at(0, 0), 4.f);
    EXPECT_EQ(p.at(0, 1), -4.f);
  });
}

TEST(CrossEntropy, ForwardMatchesADoubleReferenceForEveryWidthAndBlock) {
  for_each_target([] {
    for (int64_t V = 1; V <= 67; ++V) {
      for (const int64_t block_cols : {5, 16, 64, 80}) {
        Problem p(3, V, V + 11, block_cols, 3);
        const std::vector<float> before = p.memory();

        p.forward();

        for (int64_t r = 0; r < 3; ++r) {
          const double want = reference_loss(p.row_in_double(r), p.target(r));
          ASSERT_NEAR(p.loss(r), want, 1e-6 * want) << V << " " << block_cols;
        }
        ASSERT_EQ(p.memory(), before);
      }
    }
  });
}

TEST(CrossEntropy, LossOfTheWholeVocabularyIsAccurateToOnePartInAMillion) {
  for_each_target([] {
    for (const double scale : {0.02, 1.0, 8.0}) {
      Problem p(2, 50257, 50304, 4096, scale);

      p.forward();

      for (int64_t r = 0; r < 2; ++r) {
        const double want = reference_loss(p.row_in_double(r), p.target(r));
        EXPECT_NEAR(p.loss(r), want, 1e-6 * want);
      }
    }
  });
}

// A confident, right prediction: the loss is log(1 + 1e-4), and a float sum would round it to 3
// digits.
TEST(CrossEntropy, ASmallLossKeepsItsDigits) {
  for_each_target([] {
    Problem p(1, 101, 101, 101, 0);
    p.at(0, 3) = 14.f;
    const double want = reference_loss(p.row_in_double(0), 3);

    p.forward_backward(1.f);

    EXPECT_LT(want, 1e-4);
    EXPECT_NEAR(p.loss(0) / want, 1, 1e-6);
    EXPECT_NEAR(p.at(0, 3) / (std::exp(-want) - 1), 1, 1e-6);
  });
}

// More than a chunk apart, and beside terms of the sum that are far smaller.
TEST(CrossEntropy, LogitsThatShareTheMaximumCountEach) {
  for_each_target([] {
    Problem p(1, 1031, 1040, 500, 0);
    for (const int64_t c : {3, 4, 501, 1030}) p.at(0, c) = 20.f;
    const double want = reference_loss(p.row_in_double(0), 3);

    p.forward_backward(1.f);

    EXPECT_NEAR(p.loss(0) / want, 1, 1e-6);
    EXPECT_NEAR(p.at(0, 1030), std::exp(-want), 1e-7);
  });
}

TEST(CrossEntropy, BackwardMatchesFiniteDifferences) {
  constexpr float kScale = 0.25f;
  constexpr double kStep = 1e-4;
  for_each_target([] {
    for (const int64_t V : {1, 7, 15, 16, 17, 31, 67}) {
      Problem p(3, V, V + 5, 13, 2);
      std::vector<std::vector<double>> logits;
      for (int64_t r = 0; r < 3; ++r) logits.push_back(p.row_in_double(r));

      p.forward_backward(kScale);

      for (int64_t r = 0; r < 3; ++r) {
        for (int64_t c = 0; c < V; ++c) {
          std::vector<double> above = logits[size_t(r)], below = above;
          above[size_t(c)] += kStep;
          below[size_t(c)] -= kStep;
          const double difference =
              reference_loss(above, p.target(r)) - reference_loss(below, p.target(r));
          // h^2 of the difference, and float rounding of a number below 0.25.
          ASSERT_NEAR(p.at(r, c), kScale * difference / (2 * kStep), 1e-7) << V;
        }
      }
    }
  });
}

TEST(CrossEntropy, BothFunctionsGiveTheSameLosses) {
  for_each_target([] {
    Problem p(5, 61, 64, 16), q(5, 61, 64, 16);

    p.forward();
    q.forward_backward(1.f);

    EXPECT_EQ(p.losses(), q.losses());
  });
}

TEST(CrossEntropy, PaddingIsNotReadAndGetsZeroGradients) {
  for_each_target([] {
    for (const int64_t block_cols : {4, 7, 40}) {
      Problem p(2, 13, 31, block_cols);
      for (int64_t r = 0; r < 2; ++r) {
        for (int64_t c = 13; c < 31; ++c) p.at(r, c) = std::nanf("");
      }

      p.forward_backward(1.f);

      for (int64_t r = 0; r < 2; ++r) {
        EXPECT_TRUE(std::isfinite(p.loss(r)));
        for (int64_t c = 13; c < 31; ++c) EXPECT_EQ(p.at(r, c), 0.f);
      }
    }
  });
}

TEST(CrossEntropy, ANanOrAnInfinityAnywhereGivesANanLossAndNoOtherRow) {
  for (const float bad : {std::nanf(""), kInfinity, -kInfinity}) {
    for_each_target([&] {
      for (int64_t c = 0; c < 37; ++c) {
        Problem p(3, 37, 40, 11), q(3, 37, 40, 11);
        p.at(1, c) = q.at(1, c) = bad;

        p.forward();
        q.forward_backward(1.f);

        ASSERT_TRUE(std::isnan(p.loss(1)) && std::isnan(q.loss(1))) << c;
        for (int64_t j = 0; j < 37; ++j) ASSERT_TRUE(std::isnan(q.at(1, j))) << c << " " << j;
        for (const int64_t r : {0, 2}) ASSERT_TRUE(std::isfinite(p.loss(r))) << c;
      }
    });
  }
}

TEST(CrossEntropy, HugeFiniteLogitsDoNotOverflow) {
  for_each_target([] {
    Problem p(1, 5, 5, 5, 0);
    p.at(0, 0) = 1e30f;
    p.at(0, 1) = -1e30f;
    p.target(0) = 1;

    p.forward_backward(1.f);

    EXPECT_FLOAT_EQ(p.loss(0), 2e30f);
    EXPECT_EQ(p.at(0, 0), 1.f);
    EXPECT_EQ(p.at(0, 1), -1.f);
    EXPECT_EQ(p.at(0, 2), 0.f);
  });
}

TEST(CrossEntropy, RowsMayBeSplitBetweenCalls) {
  for_each_target([] {
    Problem whole(7, 53, 61, 17), split(7, 53, 61, 17);

    whole.forward_backward(0.5f);
    split.forward_backward_rows(4, 3, 0.5f);
    split.forward_backward_rows(0, 4, 0.5f);

    EXPECT_EQ(whole.losses(), split.losses());
    EXPECT_EQ(whole.memory(), split.memory());
  });
}

TEST(CrossEntropy, Avx2AndAvx512GiveTheSameBits) {
  expect_same_bits_on_avx2_and_avx512([] {
    Problem p(3, 1021, 1031, 500, 4);
    p.forward_backward(1.f);
    std::vector<float> bits = p.memory();
    bits.insert(bits.end(), p.losses().begin(), p.losses().end());
    return bits;
  });
}

}  // namespace
}  // namespace weft
