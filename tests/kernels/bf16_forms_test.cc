// The bf16 forms of vector kernels: they give what the fp32 forms give, rounded.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "kernels/attention_tiles.h"
#include "kernels/bfloat16.h"
#include "kernels/cross_entropy.h"
#include "kernels/elementwise.h"
#include "kernels/layernorm.h"
#include "support/bf16_matrix.h"
#include "support/each_target.h"
#include "support/test_matrix.h"

namespace weft {
namespace {

constexpr int64_t kRows = 5;
constexpr int64_t kColumns[] = {1, 7, 16, 33, 64, 131};

std::vector<float> rounded(std::vector<float> values) {
  for (float& value : values) value = to_float(to_bfloat16(value));
  return values;
}

// x as floats.
TestMatrix widened(Bf16Matrix& x) {
  TestMatrix wide(x.rows(), x.cols());
  wide.assign(x.values());
  return wide;
}

template <typename Body>
void for_each_width(const Body& body) {
  for_each_target([&] {
    for (const int64_t C : kColumns) {
      SCOPED_TRACE(testing::Message() << C << " columns");
      body(C);
    }
  });
}

TEST(Bf16Forms, AddBiasRoundsTheSum) {
  for_each_width([](int64_t C) {
    TestMatrix x = TestMatrix::normal(kRows, C, 1), bias = TestMatrix::normal(1, C, 2);
    Bf16Matrix y(kRows, C);

    add_bias(bias.row(), x, y.view());

    add_bias(bias.row(), x);  // in place
    EXPECT_EQ(y.values(), rounded(x.values()));
    EXPECT_TRUE(y.gaps_hold());
  });
}

TEST(Bf16Forms, GeluIsThatOfTheRoundedSum) {
  for_each_width([](int64_t C) {
    TestMatrix x = TestMatrix::normal(kRows, C, 1, 3.), bias = TestMatrix::normal(1, C, 2);
    Bf16Matrix y(kRows, C), gelu(kRows, C);

    add_bias_gelu(bias.row(), x, y.view(), gelu.view());

    add_bias(bias.row(), x);
    EXPECT_EQ(y.values(), rounded(x.values()));
    TestMatrix wide = widened(y), expected(kRows, C), zero(1, C);
    add_bias_gelu(zero.row(), wide, expected);
    EXPECT_EQ(gelu.values(), rounded(expected.values()));
    EXPECT_TRUE(y.gaps_hold() && gelu.gaps_hold());
  });
}

TEST(Bf16Forms, GeluBackwardRoundsGradientAndValue) {
  for_each_width([](int64_t C) {
    Bf16Matrix x = Bf16Matrix::normal(kRows, C, 1, 3.), dx(kRows, C), y(kRows, C);
    TestMatrix dout = TestMatrix::normal(kRows, C, 2);

    gelu_backward(x.view(), dout, dx.view(), y.view());

    TestMatrix wide = widened(x), expected_y(kRows, C);
    gelu_backward(wide, dout, expected_y);  // in place
    EXPECT_EQ(dx.values(), rounded(dout.values()));
    EXPECT_EQ(y.values(), rounded(expected_y.values()));
    EXPECT_TRUE(dx.gaps_hold() && y.gaps_hold());
  });
}

TEST(Bf16Forms, RowSumsAndDotsAreThoseOfTheWidenedRows) {
  for_each_width([](int64_t C) {
    Bf16Matrix a = Bf16Matrix::normal(kRows, C, 1), b = Bf16Matrix::normal(kRows, C, 2);
    TestMatrix sums = TestMatrix::normal(1, kRows, 3), dots(1, kRows);
    TestMatrix expected_sums = TestMatrix::normal(1, kRows, 3), expected_dots(1, kRows);

    add_row_sums(a.view(), sums.row());
    row_dots(a.view(), b.view(), dots.row());

    TestMatrix wide_a = widened(a), wide_b = widened(b);
    add_row_sums(wide_a, expected_sums.row());
    row_dots(wide_a, wide_b, expected_dots.row());
    EXPECT_EQ(sums.values(), expected_sums.values());
    EXPECT_EQ(dots.values(), expected_dots.values());
  });
}

TEST(Bf16Forms, LayernormRoundsItsOutputAlone) {
  for_each_width([](int64_t C) {
    TestMatrix x = TestMatrix::normal(kRows, C, 1);
    TestMatrix weight = TestMatrix::normal(1, C, 2), bias = TestMatrix::normal(1, C, 3);
    TestMatrix expected(kRows, C), means(2, kRows), rstds(2, kRows);
    Bf16Matrix out(kRows, C);

    layernorm_forward(x, weight.row(), bias.row(), out.view(), means.row(0), rstds.row(0));

    layernorm_forward(x, weight.row(), bias.row(), expected, means.row(1), rstds.row(1));
    EXPECT_EQ(out.values(), rounded(expected.values()));
    EXPECT_TRUE(std::ranges::equal(means.row(0), means.row(1)));
    EXPECT_TRUE(std::ranges::equal(rstds.row(0), rstds.row(1)));
    EXPECT_TRUE(out.gaps_hold());
  });
}

TEST(Bf16Forms, ScaleColumnsMultipliesEachColumnByItsFactor) {
  for_each_width([](int64_t C) {
    TestMatrix factors = TestMatrix::normal(1, C, 1), x = TestMatrix::normal(kRows, C, 2);
    TestMatrix y(kRows, C);

    scale_columns(factors.row(), x, y);

    for (int64_t r = 0; r < kRows; ++r) {
      for (int64_t c = 0; c < C; ++c) EXPECT_EQ(y.at(r, c), factors.row()[size_t(c)] * x.at(r, c));
    }
    EXPECT_TRUE(y.guards_hold());
  });
}

// The logits of kRows rows, in blocks; the last one is narrower and has padding.
struct Logits {
  static constexpr int64_t kV = 107, kVp = 112, kBlock = 48;

  Logits() : memory(static_cast<size_t>(kRows * kVp)) {
    for (size_t i = 0; i < memory.size(); ++i) {
      memory[i] = static_cast<float>(3. * random_normal(1, 0, i));
    }
  }
  ColumnBlocks view() { return {memory.data(), kRows, kVp, kBlock}; }

  std::vector<float> memory;
};

TEST(Bf16Forms, CrossEntropyRoundsItsGradientsInPlace) {
  for_each_target([] {
    const std::vector<int32_t> targets = {0, 47, 48, 106, 5};
    Logits fp32, bf16;
    std::vector<float> losses(kRows), expected_losses(kRows);

    cross_entropy_forward_backward_bf16(bf16.view(), 0, Logits::kV, targets, 0.1f, losses);

    cross_entropy_forward_backward(fp32.view(), 0, Logits::kV, targets, 0.1f, expected_losses);
    EXPECT_EQ(losses, expected_losses);
    for (int64_t j = 0; j < fp32.view().blocks(); ++j) {
      const Matrix<float> expected = fp32.view().block(j);
      const Matrix<BFloat16> actual = bf16_in_place(bf16.view().block(j));
      for (int64_t r = 0; r < kRows; ++r) {
        for (int64_t c = 0; c < expected.cols; ++c) {
          EXPECT_EQ(actual.at(r, c), to_bfloat16(expected.at(r, c))) << j << " " << r << " " << c;
        }
      }
    }
  });
}

}  // namespace
}  // namespace weft
