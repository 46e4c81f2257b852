#include "kernels/elementwise.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "support/each_target.h"
#include "support/test_matrix.h"

namespace weft {
namespace {

constexpr int64_t kRows = 3;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kSmallestFloat = std::numeric_limits<float>::denorm_min();

TEST(Elementwise, AddBiasAddsItToEveryRow) {
  for_each_target([] {
    for (int64_t N = 1; N <= 67; ++N) {
      TestMatrix bias = TestMatrix::normal(1, N, 1), before = TestMatrix::normal(kRows, N, 2);
      TestMatrix y = TestMatrix::normal(kRows, N, 2);

      add_bias(bias.row(), y);

      for (int64_t r = 0; r < kRows; ++r) {
        for (int64_t c = 0; c < N; ++c) ASSERT_EQ(y.at(r, c), before.at(r, c) + bias.at(0, c));
      }
      ASSERT_TRUE(y.guards_hold());
    }
  });
}

TEST(Elementwise, AddBiasResidualAddsBothInThatOrder) {
  for_each_target([] {
    for (int64_t N = 1; N <= 67; ++N) {
      TestMatrix bias = TestMatrix::normal(1, N, 1), before = TestMatrix::normal(kRows, N, 2);
      TestMatrix y = TestMatrix::normal(kRows, N, 2), residual = TestMatrix::normal(kRows, N, 3);

      add_bias_residual(bias.row(), residual, y);

      for (int64_t r = 0; r < kRows; ++r) {
        for (int64_t c = 0; c < N; ++c) {
          ASSERT_EQ(y.at(r, c), (before.at(r, c) + bias.at(0, c)) + residual.at(r, c));
        }
      }
      ASSERT_TRUE(y.guards_hold());
    }
  });
}

TEST(Elementwise, AddColumnSumsAddsRowsInOrderToASumFromZero) {
  for_each_target([] {
    for (const int64_t N : {1, 7, 16, 33, 67, 1023, 1024, 1025, 2053}) {
      TestMatrix x = TestMatrix::normal(11, N, 4), sums = TestMatrix::normal(1, N, 5);
      std::vector<float> want = sums.values();
      for (int64_t c = 0; c < N; ++c) {
        float sum = 0;
        for (int64_t r = 0; r < 11; ++r) sum += x.at(r, c);
        want[size_t(c)] += sum;
      }

      add_column_sums(x, sums.row());

      ASSERT_EQ(sums.values(), want) << N;
      ASSERT_TRUE(sums.guards_hold());
    }
  });
}

TEST(Elementwise, AddAccumulates) {
  for_each_target([] {
    for (int64_t n = 0; n <= 67; ++n) {
      TestMatrix addend = TestMatrix::normal(1, n, 6), sum = TestMatrix::normal(1, n, 7);
      std::vector<float> want = sum.values();
      for (int64_t i = 0; i < n; ++i) want[size_t(i)] += addend.at(0, i);

      add(addend.row(), sum.row());

      ASSERT_EQ(sum.values(), want);
      ASSERT_TRUE(sum.guards_hold());
    }
  });
}

TEST(Elementwise, FillZeroClearsTheRowsAndNothingElse) {
  TestMatrix x = TestMatrix::normal(kRows, 13, 8);

  fill_zero(x);

  EXPECT_EQ(x.values(), std::vector<float>(kRows * 13));
  EXPECT_TRUE(x.guards_hold());
}

double gelu_reference(double x) {
  const double u = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return x / (1 + std::exp(-2 * u));  // 0.5 x (1 + tanh(u)) without its cancellation
}

double gelu_derivative_reference(double x) {
  const double u = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  const double du = std::sqrt(2 / std::numbers::pi) * (1 + 3 * 0.044715 * x * x);
  const double cosh = std::cosh(u);
  const double slope = std::isinf(cosh) ? 0 : 0.5 * x / (cosh * cosh) * du;
  return 0.5 * (1 + std::tanh(u)) + slope;
}

TEST(Gelu, ReferencesAgreeWithTheDefinitionAndWithEachOther) {
  for (double x = -5; x <= 5; x += 0.0625) {
    const double u = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
    const double difference = (gelu_reference(x + 1e-5) - gelu_reference(x - 1e-5)) / 2e-5;

    EXPECT_NEAR(gelu_reference(x), 0.5 * x * (1 + std::tanh(u)), 1e-14);
    EXPECT_NEAR(gelu_derivative_reference(x), difference, 1e-9);
  }
}

// A prime step through all bit patterns: huge, tiny and denormal numbers of both signs.
TestMatrix finite_floats() {
  std::vector<float> all = {0.f,
                            -0.f,
                            1e30f,
                            -1e30f,
                            std::numeric_limits<float>::max(),
                            std::numeric_limits<float>::lowest()};
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 8191) {
    const float x = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (std::isfinite(x)) all.push_back(x);
  }
  for (float x = -12; x <= 12; x += 1.f / 4096) all.push_back(x);  // where the action is
  TestMatrix x(1, static_cast<int64_t>(all.size()));
  x.assign(all);
  return x;
}

std::vector<float> gelu_of(TestMatrix& x) {
  TestMatrix bias(1, x.cols()), biased(1, x.cols()), out(1, x.cols());
  bias.assign(std::vector<float>(static_cast<size_t>(x.cols()), -0.f));  // x + -0 is x, even for -0
  biased.assign(x.values());
  add_bias_gelu(bias.row(), biased, out);
  EXPECT_TRUE(out.guards_hold() && biased.guards_hold());
  return out.values();
}

std::vector<float> gelu_derivative_of(TestMatrix& x) {
  TestMatrix dx(1, x.cols()), y(1, x.cols());
  dx.assign(std::vector<float>(static_cast<size_t>(x.cols()), 1.f));
  gelu_backward(x, dx, y);
  EXPECT_TRUE(dx.guards_hold() && y.guards_hold());
  return dx.values();
}

TEST(Gelu, ForwardIsWithinItsBoundForEveryFiniteFloat) {
  TestMatrix x = finite_floats();

  for_each_target([&] {
    const std::vector<float> got = gelu_of(x);
    for (int64_t i = 0; i < x.cols(); ++i) {
      const double want = gelu_reference(x.at(0, i));
      const double relative = std::max(4 * 0x1p-24 * std::abs(want), kSmallestFloat);
      const double bound = x.at(0, i) >= -1 ? relative : 0x1p-24;  // as elementwise.h states
      ASSERT_LE(std::abs(got[size_t(i)] - want), bound) << x.at(0, i);
    }
  });
}

TEST(Gelu, BackwardIsWithinItsBoundForEveryFiniteFloat) {
  TestMatrix x = finite_floats();

  for_each_target([&] {
    const std::vector<float> got = gelu_derivative_of(x);
    for (int64_t i = 0; i < x.cols(); ++i) {
      ASSERT_NEAR(got[size_t(i)], gelu_derivative_reference(x.at(0, i)), 0x1p-22) << x.at(0, i);
    }
  });
}

TEST(Gelu, SpecialValues) {
  TestMatrix x(1, 5);
  x.assign({0.f, -0.f, kInfinity, -kInfinity, std::nanf("")});

  for_each_target([&] {
    const std::vector<float> y = gelu_of(x), dy = gelu_derivative_of(x);

    EXPECT_EQ(y[0], 0.f);
    EXPECT_TRUE(y[1] == 0.f && std::signbit(y[1]));
    EXPECT_EQ(y[2], kInfinity);
    EXPECT_TRUE(std::isnan(y[3]));  // as -inf * 0 in the tanh form
    EXPECT_TRUE(std::isnan(y[4]));
    EXPECT_EQ(dy[0], 0.5f);
    EXPECT_TRUE(std::isnan(dy[4]));
  });
}

TEST(Gelu, ForwardKeepsTheBiasedInputAndBackwardScalesTheGradient) {
  for_each_target([] {
    for (int64_t N = 1; N <= 67; ++N) {
      TestMatrix bias = TestMatrix::normal(1, N, 10), x = TestMatrix::normal(kRows, N, 11);
      TestMatrix before = TestMatrix::normal(kRows, N, 11), out(kRows, N);
      TestMatrix again(kRows, N);
      TestMatrix dx = TestMatrix::normal(kRows, N, 12), dout = TestMatrix::normal(kRows, N, 12);

      add_bias_gelu(bias.row(), x, out);
      gelu_backward(x, dx, again);

      for (int64_t r = 0; r < kRows; ++r) {
        for (int64_t c = 0; c < N; ++c) {
          const float biased = before.at(r, c) + bias.at(0, c);
          ASSERT_EQ(x.at(r, c), biased);
          ASSERT_NEAR(out.at(r, c), gelu_reference(biased), 1e-6);
          ASSERT_NEAR(again.at(r, c), gelu_reference(biased), 1e-6);
          ASSERT_NEAR(dx.at(r, c), dout.at(r, c) * gelu_derivative_reference(biased), 2e-6);
        }
      }
      ASSERT_TRUE(x.guards_hold() && out.guards_hold() && dx.guards_hold());
    }
  });
}

TEST(Gelu, Avx2AndAvx512GiveTheSameBits) {
  expect_same_bits_on_avx2_and_avx512([] {
    TestMatrix x = TestMatrix::normal(1, 4099, 13, 3);
    std::vector<float> bits = gelu_of(x);
    const std::vector<float> derivatives = gelu_derivative_of(x);
    bits.insert(bits.end(), derivatives.begin(), derivatives.end());
    return bits;
  });
}

}  // namespace
}  // namespace weft
