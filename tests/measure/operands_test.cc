#include "measure/operands.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace weft {
namespace {

TEST(Operands, AreStandardNormal) {
  Operands operands;

  const Vector<float> values = operands.vector(100'000);

  double sum = 0., squares = 0.;
  for (const float x : values) {
    sum += x;
    squares += double(x) * x;
  }
  // The standard errors are 0.003 and 0.0045.
  EXPECT_NEAR(sum / 100'000, 0., 0.02);
  EXPECT_NEAR(squares / 100'000, 1., 0.03);
}

TEST(Operands, ShareNoMemoryAndAreAligned) {
  Operands operands;

  const Vector<float> a = operands.vector(3), b = operands.vector(5);

  EXPECT_LE(a.data() + a.size(), b.data());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data()) % 64, 0u);
  EXPECT_EQ(operands.bytes(), 128u);
}

TEST(Operands, GiveTheSameMemoryForTheSameName) {
  Operands operands;

  EXPECT_EQ(operands.shared("x", 2, 3).data, operands.shared("x", 2, 3).data);
  EXPECT_NE(operands.shared("x", 2, 3).data, operands.shared("y", 2, 3).data);
}

TEST(Operands, CutColumnsFromOneMatrixUntilItIsUsedUp) {
  Operands operands;

  const Matrix<float> first = operands.columns(4, 3, 8), second = operands.columns(4, 3, 8);
  const Matrix<float> third = operands.columns(4, 3, 8);

  EXPECT_EQ(first.stride, 8);
  EXPECT_EQ(second.data, first.data + 3);
  EXPECT_GE(third.data, first.data + 4 * 8);
}

TEST(Operands, DrawIndicesBelowTheLimit) {
  Operands operands;

  const Vector<int32_t> indices = operands.indices(1000, 7);

  EXPECT_EQ(*std::ranges::min_element(indices), 0);
  EXPECT_EQ(*std::ranges::max_element(indices), 6);
}

}  // namespace
}  // namespace weft
