#include "kernels/gemm.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "support/guarded_array.h"

namespace weft {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr double kEps = std::numeric_limits<float>::epsilon();

std::vector<float> random_values(int64_t n, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) value = static_cast<float>(engine()) * 0x1p-31f - 1.f;
  return values;
}

// Elements from the first to one past the last of `count` blocks of (rows, cols).
int64_t extent(int64_t rows, int64_t cols, int64_t ld, int64_t stride, int64_t count) {
  return (count - 1) * stride + (rows - 1) * ld + cols;
}

// The operands of one product; C begins as random values.
struct Operands {
  Operands(const GemmShape& s, int64_t count)
      : A(random_values(s.transposed_a ? extent(s.K, s.M, s.lda, s.stride_a, count)
                                       : extent(s.M, s.K, s.lda, s.stride_a, count),
                        1)),
        B(random_values(extent(s.K, s.N, s.ldb, s.stride_b, count), 2)),
        C(random_values(s.M * s.ldc, 3)) {}

  std::vector<float> A, B, C;
};

// Element (m, n) of the product in double, and the bound on the rounding of any fp32 summation
// order, with or without FMA: eps (terms + 1) sum |a b| (Higham, 2002, section 3.1, with slack 2).
struct Expected {
  double value, tolerance;
};

Expected expected(const GemmShape& s, int64_t count, const Operands& x, int64_t m, int64_t n) {
  const double c = s.accumulate ? x.C[m * s.ldc + n] : 0.0;
  double sum = c, magnitude = std::fabs(c);
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t k = 0; k < s.K; ++k) {
      const int64_t a = s.transposed_a ? k * s.lda + m : m * s.lda + k;
      const double product =
          static_cast<double>(x.A[i * s.stride_a + a]) * x.B[i * s.stride_b + k * s.ldb + n];
      sum += product;
      magnitude += std::fabs(product);
    }
  }
  return {sum, kEps * static_cast<double>(s.K * count + 1) * magnitude};
}

// Runs the product and compares all of C, the gaps between its rows included.
void expect_product(const GemmShape& s, GemmBackend backend, int64_t count) {
  SCOPED_TRACE(testing::Message() << "M " << s.M << " N " << s.N << " K " << s.K << " ldc " << s.ldc
                                  << " accumulate " << s.accumulate << " count " << count);
  const Operands x(s, count);
  std::vector<float> C = x.C;

  Gemm(s, backend)(x.A.data(), x.B.data(), C.data(), count);

  for (int64_t m = 0; m < s.M; ++m) {
    for (int64_t n = 0; n < s.N; ++n) {
      const Expected e = expected(s, count, x, m, n);
      ASSERT_NEAR(C[m * s.ldc + n], e.value, e.tolerance) << "at (" << m << ", " << n << ")";
    }
    for (int64_t n = s.N; n < s.ldc; ++n) {
      ASSERT_EQ(C[m * s.ldc + n], x.C[m * s.ldc + n])
          << "gap written at (" << m << ", " << n << ")";
    }
  }
}

GemmShape packed(int64_t M, int64_t N, int64_t K) {
  return {.M = M, .N = N, .K = K, .lda = K, .ldb = N, .ldc = N};
}

GemmShape packed_transposed(int64_t M, int64_t N, int64_t K) {
  return {.M = M, .N = N, .K = K, .lda = M, .ldb = N, .ldc = N, .transposed_a = true};
}

class GemmTest : public testing::TestWithParam<GemmBackend> {
 protected:
  void SetUp() override {
    const bool unserved = resolve(GemmBackend::kAuto) == GemmBackend::kCblas;
    if (GetParam() == GemmBackend::kLibxsmm && unserved) GTEST_SKIP() << "no AVX2 here";
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, GemmTest,
                         testing::Values(GemmBackend::kLibxsmm, GemmBackend::kCblas),
                         [](const auto& info) {
                           return info.param == GemmBackend::kLibxsmm ? "Libxsmm" : "Cblas";
                         });

TEST_P(GemmTest, HandCheckedProduct) {
  const float A[] = {1, 2, 3, 4, 5, 6};   // (2, 3)
  const float B[] = {1, 0, 0, 1, 2, -1};  // (3, 2)
  std::vector<float> C(4, kNaN);

  Gemm(packed(2, 2, 3), GetParam())(A, B, C.data());

  EXPECT_EQ(C, (std::vector<float>{7, -1, 16, -1}));
}

TEST_P(GemmTest, MatchesADoubleProductAtOddSizes) {
  for (const int64_t M : {1, 2, 7, 17, 33, 65}) {
    for (const int64_t N : {1, 3, 15, 16, 31, 47, 64, 67}) {
      for (const int64_t K : {1, 5, 16, 64, 131}) expect_product(packed(M, N, K), GetParam(), 1);
    }
  }
}

TEST_P(GemmTest, ReadsATransposedOperand) {
  const float A[] = {1, 4, 2, 5, 3, 6};   // (3, 2), the transpose of (2, 3)
  const float B[] = {1, 0, 0, 1, 2, -1};  // (3, 2)
  std::vector<float> C(4, kNaN);

  Gemm(packed_transposed(2, 2, 3), GetParam())(A, B, C.data());

  EXPECT_EQ(C, (std::vector<float>{7, -1, 16, -1}));
}

TEST_P(GemmTest, MatchesADoubleProductOfATransposedOperand) {
  for (const int64_t M : {1, 7, 16, 33}) {
    for (const int64_t N : {1, 15, 64, 67}) {
      for (const int64_t K : {1, 5, 64, 131}) {
        for (const int64_t gap : {0, 13}) {
          GemmShape shape = packed_transposed(M, N, K);
          shape.lda += gap;
          shape.accumulate = gap > 0;
          shape.stride_a = shape.K * shape.lda + 5;
          shape.stride_b = shape.K * shape.ldb;

          expect_product(shape, GetParam(), gap > 0 ? 2 : 1);
        }
      }
    }
  }
}

TEST_P(GemmTest, WalksLeadingDimensionsAndLeavesTheGapsAlone) {
  for (const int64_t gap : {1, 13, 64}) {
    GemmShape shape = packed(19, 37, 23);
    shape.lda += gap;
    shape.ldb += 2 * gap;
    shape.ldc += 3 * gap;

    expect_product(shape, GetParam(), 1);
  }
}

TEST_P(GemmTest, AddsToCWhenAskedTo) {
  GemmShape shape = packed(13, 29, 31);
  shape.ldc += 3;
  shape.accumulate = true;

  expect_product(shape, GetParam(), 1);
}

TEST_P(GemmTest, ReducesABatchOverStrides) {
  for (const bool accumulate : {false, true}) {
    for (const int64_t count : {1, 2, 5}) {
      GemmShape shape = packed(11, 18, 21);
      shape.accumulate = accumulate;
      shape.stride_a = shape.M * shape.lda + 5;
      shape.stride_b = shape.K * shape.ldb + 3;

      expect_product(shape, GetParam(), count);
    }
  }
}

// A long product is cut along K: A steps along its rows, B down its rows.
TEST_P(GemmTest, ReducesOneLongProductCutAlongK) {
  GemmShape shape = {.M = 9, .N = 17, .K = 32, .lda = 96, .ldb = 17, .ldc = 17};
  shape.stride_a = shape.K;
  shape.stride_b = shape.K * shape.ldb;

  expect_product(shape, GetParam(), 3);
}

TEST_P(GemmTest, OverwritesWhateverCHeld) {
  const GemmShape shape = packed(7, 19, 5);
  const Operands x(shape, 1);
  std::vector<float> from_zero(x.C.size(), 0.f), from_nan(x.C.size(), kNaN);
  const Gemm gemm(shape, GetParam());

  gemm(x.A.data(), x.B.data(), from_zero.data());
  gemm(x.A.data(), x.B.data(), from_nan.data());

  EXPECT_EQ(from_nan, from_zero);
}

TEST_P(GemmTest, PropagatesNaN) {
  const GemmShape shape = packed(3, 4, 5);
  Operands x(shape, 1);
  x.A[shape.lda + 2] = kNaN;  // row 1

  Gemm(shape, GetParam())(x.A.data(), x.B.data(), x.C.data());

  for (int64_t i = 0; i < 12; ++i) EXPECT_EQ(std::isnan(x.C[i]), i / 4 == 1) << i;
}

TEST_P(GemmTest, GivesTheSameBitsAtEveryAlignment) {
  const GemmShape shape = packed(23, 35, 41);
  const Operands x(shape, 1);
  const Gemm gemm(shape, GetParam());
  std::vector<float> reference(x.C.size());
  gemm(x.A.data(), x.B.data(), reference.data());

  for (const size_t shift : {1, 3, 7}) {
    std::vector<float> A(shift, 0.f), B(2 * shift, 0.f), C(3 * shift + x.C.size());
    A.insert(A.end(), x.A.begin(), x.A.end());
    B.insert(B.end(), x.B.begin(), x.B.end());
    gemm(A.data() + shift, B.data() + 2 * shift, C.data() + 3 * shift);

    EXPECT_EQ(std::memcmp(C.data() + 3 * shift, reference.data(), 4 * reference.size()), 0);
  }
}

TEST_P(GemmTest, GivesTheSameBitsFromSeveralThreads) {
  const GemmShape shape = packed(33, 65, 129);
  const Operands x(shape, 1);
  const Gemm gemm(shape, GetParam());
  std::vector<float> reference(x.C.size());
  gemm(x.A.data(), x.B.data(), reference.data());

  std::vector<int> differing(8, 0);
  std::vector<std::thread> threads;
  for (int& differs : differing) {
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<float> C(x.C.size(), kNaN);
        gemm(x.A.data(), x.B.data(), C.data());
        differs += C != reference;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(differing, std::vector<int>(8, 0));
}

TEST_P(GemmTest, IsMadeConcurrentlyByThreads) {
  const Operands x(packed(5, 6, 7), 1);
  std::vector<std::vector<float>> C(8, std::vector<float>(x.C.size()));
  std::vector<std::thread> threads;

  for (std::vector<float>& c : C) {
    threads.emplace_back(
        [&] { Gemm(packed(5, 6, 7), GetParam())(x.A.data(), x.B.data(), c.data()); });
  }
  for (std::thread& thread : threads) thread.join();

  for (const std::vector<float>& c : C) EXPECT_EQ(c, C[0]);
}

// A touch outside the operands ends this test with SIGSEGV.
TEST_P(GemmTest, TouchesNothingOutsideItsOperands) {
  for (const int64_t M : {1, 6, 13, 31}) {
    for (const int64_t N : {1, 5, 15, 17, 33, 63, 65}) {
      for (const int64_t K : {1, 3, 33}) {
        for (GemmShape shape : {packed(M, N, K), packed_transposed(M, N, K)}) {
          shape.accumulate = true;
          shape.stride_a = M * K;
          shape.stride_b = K * N;
          for (const bool at_end : {false, true}) {
            const Operands x(shape, 2);
            const GuardedArray<float> A(x.A, at_end), B(x.B, at_end), C(x.C, at_end);

            Gemm(shape, GetParam())(A.data(), B.data(), C.data(), 2);

            const Expected e = expected(shape, 2, x, M - 1, N - 1);
            ASSERT_NEAR(C.data()[M * N - 1], e.value, e.tolerance);
          }
        }
      }
    }
  }
}

// 2 GiB and more between two rows: beyond a 32-bit displacement.
TEST_P(GemmTest, ReachesRowsFurtherThan2GiBApart) {
  const GemmShape shape = {.M = 1, .N = 3, .K = 5, .lda = 5, .ldb = int64_t{1} << 28, .ldc = 3};
  const size_t bytes = sizeof(float) * static_cast<size_t>(extent(5, 3, shape.ldb, 0, 1));
  void* const mapping = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) GTEST_SKIP() << "no address space for 4 GiB";
  float* const B = static_cast<float*>(mapping);
  const float A[] = {1, 10, 100, 1000, 10000};
  for (int64_t k = 0; k < 5; ++k) {
    for (int64_t n = 0; n < 3; ++n) B[k * shape.ldb + n] = static_cast<float>(n + 1);
  }
  std::vector<float> C(3);

  Gemm(shape, GetParam())(A, B, C.data());

  munmap(mapping, bytes);
  EXPECT_EQ(C, (std::vector<float>{11111, 22222, 33333}));
}

TEST_P(GemmTest, RefusesShapesThatAreNotMatrices) {
  const auto with = [](auto change) {
    GemmShape shape = packed(4, 5, 6);
    change(shape);
    return shape;
  };
  const GemmShape invalid[] = {
      with([](GemmShape& s) { s.M = 0; }),
      with([](GemmShape& s) { s.N = -1; }),
      with([](GemmShape& s) { s.K = 0; }),
      with([](GemmShape& s) { s.lda = s.K - 1; }),
      with([](GemmShape& s) { s.transposed_a = true, s.lda = s.M - 1; }),
      with([](GemmShape& s) { s.ldb = s.N - 1; }),
      with([](GemmShape& s) { s.ldc = s.N - 1; }),
      with([](GemmShape& s) { s.M = int64_t{1} << 31; }),
      with([](GemmShape& s) { s.ldb = int64_t{1} << 31; }),
      with([](GemmShape& s) { s.stride_a = -1; }),
      with([](GemmShape& s) { s.stride_b = -1; }),
  };

  for (const GemmShape& shape : invalid) EXPECT_THROW(Gemm(shape, GetParam()), Error);
}

TEST(GemmBackendTest, AutoResolvesToAConcreteBackend) {
  EXPECT_NE(resolve(GemmBackend::kAuto), GemmBackend::kAuto);
  EXPECT_EQ(resolve(GemmBackend::kCblas), GemmBackend::kCblas);
  EXPECT_EQ(resolve(GemmBackend::kLibxsmm), GemmBackend::kLibxsmm);
}

TEST(GemmBackendTest, DescriptionNamesTheLibraryAndItsVersion) {
  EXPECT_EQ(gemm_description(GemmBackend::kCblas).rfind("OpenBLAS 0.", 0), 0u);
  EXPECT_EQ(gemm_description(GemmBackend::kLibxsmm).rfind("libxsmm 1.", 0), 0u);
}

}  // namespace
}  // namespace weft
