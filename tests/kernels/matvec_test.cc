#include "kernels/matvec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "support/each_target.h"

namespace weft {
namespace {

std::vector<float> random_floats(size_t n, uint64_t stream) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = float(random_normal(7, stream, i));
  return values;
}

TEST(Matvec, EqualsTheDoubleProductAtEveryLength) {
  for_each_target([] {
    for (int64_t K = 1; K <= 139; ++K) {
      const int64_t N = 3, stride = K + 5;
      const auto w = random_floats(size_t(N * stride + 1), 1), x = random_floats(size_t(K + 1), 2);
      std::vector<float> y(size_t(N), 0.f);

      // One float into the buffers: no alignment is asked for.
      matvec({w.data() + 1, N, K, stride}, {x.data() + 1, size_t(K)}, y);

      for (int64_t n = 0; n < N; ++n) {
        double sum = 0., magnitude = 0.;
        for (int64_t k = 0; k < K; ++k) {
          const double term = double(w[size_t(1 + n * stride + k)]) * double(x[size_t(1 + k)]);
          sum += term;
          magnitude += std::abs(term);
        }
        // Each of at most K / 64 + 8 roundings in a chain of additions costs half an ulp of the sum
        // of magnitudes; a product one more.
        EXPECT_NEAR(y[size_t(n)], sum, 12 * 6e-8 * magnitude) << "K " << K;
      }
    }
  });
}

TEST(Matvec, WithBf16WeightsHasTheBitsOfTheSameValuesInFp32) {
  for_each_target([] {
    for (const int64_t K : {1, 15, 64, 131}) {
      const int64_t N = 3;
      const auto x = random_floats(size_t(K), 2);
      std::vector<BFloat16> rounded;
      std::vector<float> widened, y(size_t(N), 0.f), expected(size_t(N), 0.f);
      for (const float value : random_floats(size_t(N * K), 1)) {
        rounded.push_back(to_bfloat16(value));
        widened.push_back(to_float(rounded.back()));
      }

      matvec(Matrix<const BFloat16>(rounded.data(), N, K), x, y);

      matvec(Matrix<const float>(widened.data(), N, K), x, expected);
      EXPECT_EQ(y, expected) << "K " << K;
    }
  });
}

TEST(Matvec, HasTheSameBitsOnAvx2AndAvx512) {
  const int64_t N = 5, K = 301;
  const auto w = random_floats(size_t(N * K), 3), x = random_floats(size_t(K), 4);

  expect_same_bits_on_avx2_and_avx512([&] {
    std::vector<float> y(size_t(N), 0.f);
    matvec({w.data(), N, K}, x, y);
    return y;
  });
}

}  // namespace
}  // namespace weft
