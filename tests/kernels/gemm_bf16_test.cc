#include "kernels/gemm_bf16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kernels/gemm.h"
#include "support/error_of.h"
#include "support/guarded_array.h"

namespace weft {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr double kEps = std::numeric_limits<float>::epsilon();

std::vector<float> random_floats(int64_t n, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) value = static_cast<float>(engine()) * 0x1p-31f - 1.f;
  return values;
}

std::vector<BFloat16> rounded(const std::vector<float>& values) {
  std::vector<BFloat16> result;
  for (const float value : values) result.push_back(to_bfloat16(value));
  return result;
}

// The operands of one product; B also as the product reads it. Gaps between the rows of A are NaN.
struct Operands {
  explicit Operands(const GemmBf16Shape& s)
      : A(rounded(random_floats((s.M - 1) * s.lda + s.K, 1))),
        B(rounded(random_floats(s.K * s.N, 2))),
        packed(static_cast<size_t>(packed_bf16_size(s.K, s.N))),
        C(random_floats((s.M - 1) * s.ldc + s.N, 3)) {
    for (int64_t i = 0; i < static_cast<int64_t>(A.size()); ++i) {
      if (i % s.lda >= s.K) A[size_t(i)] = to_bfloat16(kNaN);
    }
    pack_bf16(Matrix<const BFloat16>(B.data(), s.K, s.N), packed);
  }

  std::vector<BFloat16> A, B, packed;
  std::vector<float> C;
};

// Element (m, n) of the product in double. Products of two bf16 are exact in fp32, so that only the
// sums round: eps (terms + 1) sum |a b| bounds any order of them (Higham, 2002, section 3.1, with
// slack 2). Operands are too large for products to be denormal where that would show.
struct Expected {
  double value, tolerance;
};

Expected expected(const GemmBf16Shape& s, const Operands& x, int64_t m, int64_t n) {
  const double c = s.accumulate ? x.C[size_t(m * s.ldc + n)] : 0.0;
  double sum = c, magnitude = std::fabs(c);
  for (int64_t k = 0; k < s.K; ++k) {
    const double product = static_cast<double>(to_float(x.A[size_t(m * s.lda + k)])) *
                           static_cast<double>(to_float(x.B[size_t(k * s.N + n)]));
    sum += product;
    magnitude += std::fabs(product);
  }
  return {sum, kEps * static_cast<double>(s.K + 1) * magnitude};
}

// Runs the product and compares all of C, the gaps between its rows included.
void expect_product(const GemmBf16Shape& s, Bf16Backend backend) {
  SCOPED_TRACE(testing::Message() << "M " << s.M << " N " << s.N << " K " << s.K << " lda " << s.lda
                                  << " ldc " << s.ldc << " accumulate " << s.accumulate);
  const Operands x(s);
  std::vector<float> C = x.C;

  GemmBf16(s, backend)(x.A.data(), x.packed.data(), C.data());

  for (int64_t i = 0; i < static_cast<int64_t>(C.size()); ++i) {
    const int64_t m = i / s.ldc, n = i % s.ldc;
    if (n < s.N) {
      const Expected e = expected(s, x, m, n);
      ASSERT_NEAR(C[size_t(i)], e.value, e.tolerance) << "at (" << m << ", " << n << ")";
    } else {
      ASSERT_EQ(C[size_t(i)], x.C[size_t(i)]) << "gap written at (" << m << ", " << n << ")";
    }
  }
}

GemmBf16Shape dense(int64_t M, int64_t N, int64_t K) {
  return {.M = M, .N = N, .K = K, .lda = K, .ldc = N};
}

class GemmBf16Test : public testing::TestWithParam<Bf16Backend> {
 protected:
  void SetUp() override {
    if (!cpu_has(GetParam())) GTEST_SKIP() << "this machine cannot run the backend";
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, GemmBf16Test,
                         testing::Values(Bf16Backend::kAmx, Bf16Backend::kAvx512Bf16),
                         [](const auto& info) {
                           return info.param == Bf16Backend::kAmx ? "Amx" : "Avx512Bf16";
                         });

TEST_P(GemmBf16Test, HandCheckedProduct) {
  const auto A = rounded({1, 2, 3, 4, 5, 6});   // (2, 3)
  const auto B = rounded({1, 0, 0, 1, 2, -1});  // (3, 2)
  std::vector<BFloat16> packed(size_t(packed_bf16_size(3, 2)));
  pack_bf16(Matrix<const BFloat16>(B.data(), 3, 2), packed);
  std::vector<float> C(4, kNaN);

  GemmBf16(dense(2, 2, 3), GetParam())(A.data(), packed.data(), C.data());

  EXPECT_EQ(C, (std::vector<float>{7, -1, 16, -1}));
}

// Every tail of a block of 12 or 32 rows, of a panel of 32 columns and of a step of 32 along K.
TEST_P(GemmBf16Test, MatchesADoubleProductAtOddSizes) {
  for (const int64_t M : {1, 2, 5, 12, 15, 16, 17, 31, 32, 33, 47, 65}) {
    for (const int64_t N : {1, 3, 15, 16, 17, 31, 32, 33, 48, 67}) {
      for (const int64_t K : {1, 2, 31, 32, 33, 64, 97}) expect_product(dense(M, N, K), GetParam());
    }
  }
}

TEST_P(GemmBf16Test, EveryNumberOfRowsOfABlockIsRight) {
  for (int64_t M = 1; M <= 34; ++M) expect_product(dense(M, 19, 35), GetParam());
}

// Longer than a slice of K, and wider than the panels that are kept together.
TEST_P(GemmBf16Test, MatchesADoubleProductAtSizesBeyondOneBlock) {
  for (const int64_t K : {383, 384, 385, 768, 1100}) expect_product(dense(35, 70, K), GetParam());
  expect_product(dense(3, 300, 2400), GetParam());
}

TEST_P(GemmBf16Test, WalksLeadingDimensionsAndLeavesTheGapsAlone) {
  for (const int64_t gap : {1, 13, 64}) {
    for (const int64_t K : {23, 32, 64}) {
      GemmBf16Shape shape = dense(19, 37, K);
      shape.lda += gap;
      shape.ldc += 3 * gap;

      expect_product(shape, GetParam());
    }
  }
}

TEST_P(GemmBf16Test, AddsToCWhenAskedTo) {
  for (const int64_t K : {31, 64, 900}) {
    GemmBf16Shape shape = dense(45, 61, K);
    shape.ldc += 3;
    shape.accumulate = true;

    expect_product(shape, GetParam());
  }
}

TEST_P(GemmBf16Test, OverwritesWhateverCHeld) {
  const GemmBf16Shape shape = dense(23, 51, 500);
  const Operands x(shape);
  std::vector<float> from_zero(x.C.size(), 0.f), from_nan(x.C.size(), kNaN);
  const GemmBf16 gemm(shape, GetParam());

  gemm(x.A.data(), x.packed.data(), from_zero.data());
  gemm(x.A.data(), x.packed.data(), from_nan.data());

  EXPECT_EQ(from_nan, from_zero);
}

TEST_P(GemmBf16Test, PropagatesNaN) {
  const GemmBf16Shape shape = dense(3, 4, 5);
  Operands x(shape);
  x.A[size_t(shape.lda + 2)] = to_bfloat16(kNaN);  // row 1

  GemmBf16(shape, GetParam())(x.A.data(), x.packed.data(), x.C.data());

  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(std::isnan(x.C[i]), i / 4 == 1) << i;
}

TEST_P(GemmBf16Test, GivesTheSameBitsAtEveryAlignment) {
  const GemmBf16Shape shape = dense(35, 41, 77);
  const Operands x(shape);
  const GemmBf16 gemm(shape, GetParam());
  std::vector<float> reference(x.C.size());
  gemm(x.A.data(), x.packed.data(), reference.data());

  for (const size_t shift : {1, 3, 7}) {
    std::vector<BFloat16> A(shift), B(2 * shift);
    std::vector<float> C(3 * shift + x.C.size());
    A.insert(A.end(), x.A.begin(), x.A.end());
    B.insert(B.end(), x.packed.begin(), x.packed.end());
    gemm(A.data() + shift, B.data() + 2 * shift, C.data() + 3 * shift);

    EXPECT_EQ(std::memcmp(C.data() + 3 * shift, reference.data(), 4 * reference.size()), 0);
  }
}

// The rows of a tile of the batch must not depend on the rows around them.
TEST_P(GemmBf16Test, GivesARowTheSameBitsInATileOfAnySize) {
  const Operands x(dense(67, 45, 500));
  std::vector<float> whole(x.C.size()), rows(x.C.size());
  GemmBf16(dense(67, 45, 500), GetParam())(x.A.data(), x.packed.data(), whole.data());

  for (const auto& [m, n_m] : {std::pair(0, 1), {1, 19}, {20, 30}, {50, 17}}) {
    GemmBf16(dense(n_m, 45, 500), GetParam())(x.A.data() + m * 500, x.packed.data(),
                                              rows.data() + m * 45);
  }

  EXPECT_EQ(rows, whole);
}

TEST_P(GemmBf16Test, GivesTheSameBitsFromSeveralThreads) {
  const GemmBf16Shape shape = dense(33, 65, 500);
  const Operands x(shape);
  const GemmBf16 gemm(shape, GetParam());
  std::vector<float> reference(x.C.size());
  gemm(x.A.data(), x.packed.data(), reference.data());

  std::vector<int> differing(8, 0);
  std::vector<std::thread> threads;
  for (int& differs : differing) {
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<float> C(x.C.size(), kNaN);
        gemm(x.A.data(), x.packed.data(), C.data());
        differs += C != reference;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(differing, std::vector<int>(8, 0));
}

TEST_P(GemmBf16Test, TakesTurnsWithFp32ProductsAndLeavesThemAlone) {
  const GemmBf16Shape shape = dense(33, 65, 40);
  const Operands x(shape);
  const GemmBf16 bf16(shape, GetParam());
  const Gemm fp32({.M = 7, .N = 9, .K = 11, .lda = 11, .ldb = 9, .ldc = 9});
  const std::vector<float> A = random_floats(77, 4), B = random_floats(99, 5);
  std::vector<float> bf16_before(x.C.size()), fp32_before(63);
  bf16(x.A.data(), x.packed.data(), bf16_before.data());
  fp32(A.data(), B.data(), fp32_before.data());

  for (int repeat = 0; repeat < 3; ++repeat) {
    std::vector<float> bf16_after(x.C.size()), fp32_after(63);
    bf16(x.A.data(), x.packed.data(), bf16_after.data());
    fp32(A.data(), B.data(), fp32_after.data());

    EXPECT_EQ(bf16_after, bf16_before);
    EXPECT_EQ(fp32_after, fp32_before);
    EXPECT_EQ(std::numeric_limits<float>::denorm_min() * 2.f, 2.f * 0x1p-149f);
  }
}

TEST_P(GemmBf16Test, TouchesNothingOutsideItsOperands) {
  for (const int64_t M : {1, 6, 13, 16, 31, 33}) {
    for (const int64_t N : {1, 15, 16, 17, 31, 33}) {
      for (const int64_t K : {1, 3, 32, 33, 64}) {
        for (const bool at_end : {false, true}) {
          GemmBf16Shape shape = dense(M, N, K);
          shape.accumulate = true;
          const Operands x(shape);
          const GuardedArray<BFloat16> A(x.A, at_end), B(x.packed, at_end);
          const GuardedArray<float> C(x.C, at_end);

          GemmBf16(shape, GetParam())(A.data(), B.data(), C.data());

          const Expected e = expected(shape, x, M - 1, N - 1);
          ASSERT_NEAR(C.data()[M * N - 1], e.value, e.tolerance);
        }
      }
    }
  }
}

TEST_P(GemmBf16Test, RefusesShapesThatAreNotMatrices) {
  const auto with = [](auto change) {
    GemmBf16Shape shape = dense(4, 5, 6);
    change(shape);
    return shape;
  };
  const GemmBf16Shape invalid[] = {
      with([](GemmBf16Shape& s) { s.M = 0; }),
      with([](GemmBf16Shape& s) { s.N = -1; }),
      with([](GemmBf16Shape& s) { s.K = 0; }),
      with([](GemmBf16Shape& s) { s.lda = s.K - 1; }),
      with([](GemmBf16Shape& s) { s.ldc = s.N - 1; }),
      with([](GemmBf16Shape& s) { s.M = int64_t{1} << 31; }),
      with([](GemmBf16Shape& s) { s.lda = int64_t{1} << 31; }),
      with([](GemmBf16Shape& s) { s.ldc = int64_t{1} << 31; }),
  };

  for (const GemmBf16Shape& shape : invalid) {
    EXPECT_TRUE(mentions(error_of([&] { GemmBf16(shape, GetParam()); }),
                         {"[gemm_bf16]", "invalid shape", "bug in weft"}));
  }
}

}  // namespace
}  // namespace weft
