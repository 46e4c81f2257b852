// ExpectedDot: a dot product in double, and the largest error that an fp32 sum of it may have.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "support/test_matrix.h"

namespace weft {

// The value, and a bound on the rounding error of an fp32 sum in any order, with or without FMA:
// eps (terms + 1) sum |a b| (Higham, 2002, section 3.1, with slack 2).
struct ExpectedDot {
  double value, tolerance;
};

// start + sum over k < n of term(k).first * term(k).second
template <typename Term>
ExpectedDot expected_dot(int64_t n, double start, const Term& term) {
  constexpr double kEps = std::numeric_limits<float>::epsilon();
  double sum = start, magnitude = std::fabs(start);
  for (int64_t k = 0; k < n; ++k) {
    const auto [a, b] = term(k);
    sum += static_cast<double>(a) * b;
    magnitude += std::fabs(static_cast<double>(a) * b);
  }
  return {sum, kEps * static_cast<double>(n + 1) * magnitude};
}

// reference(i, j) is the ExpectedDot of that element.
template <typename Reference>
void expect_near(TestMatrix& actual, const Reference& reference) {
  for (int64_t i = 0; i < actual.rows(); ++i) {
    for (int64_t j = 0; j < actual.cols(); ++j) {
      const ExpectedDot e = reference(i, j);
      ASSERT_NEAR(actual.at(i, j), e.value, e.tolerance) << "at (" << i << ", " << j << ")";
    }
  }
  EXPECT_TRUE(actual.guards_hold());
}

}  // namespace weft
