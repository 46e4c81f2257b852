#include "kernels/pack_bf16.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/each_target.h"
#include "support/guarded_array.h"

namespace weft {
namespace {

constexpr BFloat16 kGuard{0xABCD};

// A value per element that no other element of a small matrix has, and that fp32 has to round.
float value_at(int64_t r, int64_t c) {
  return std::bit_cast<float>(uint32_t((r * 257 + c) % 0x7F00) << 16 | 0x9000u);
}

// (rows, cols), 3 elements between the rows, right before memory that may not be touched.
template <typename T>
std::vector<T> matrix(int64_t rows, int64_t cols, int64_t stride) {
  std::vector<T> values(size_t((rows - 1) * stride + cols));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) {
      if constexpr (sizeof(T) == 2) {
        values[size_t(r * stride + c)] = to_bfloat16(value_at(r, c));
      } else {
        values[size_t(r * stride + c)] = value_at(r, c);
      }
    }
  }
  return values;
}

// The format as pack_bf16.h states it, element by element; element(k, n) is B's.
template <typename Element>
std::vector<BFloat16> packed_slowly(int64_t K, int64_t N, Element element) {
  std::vector<BFloat16> packed(size_t(packed_bf16_size(K, N)), BFloat16{0});
  for (int64_t n = 0; n < N; ++n) {
    for (int64_t k = 0; k < K; ++k) {
      const int64_t at = n / 32 * bf16_panel_size(K) + (k / 2 * 32 + n % 32) * 2 + k % 2;
      packed[size_t(at)] = to_bfloat16(element(k, n));
    }
  }
  return packed;
}

const std::vector<int64_t> kSizes = {1, 2, 15, 16, 17, 31, 32, 33, 64, 66, 127, 128, 131};

template <typename T>
void expect_packed(int64_t K, int64_t N) {
  SCOPED_TRACE(testing::Message() << "K " << K << " N " << N << ", " << sizeof(T) << " bytes");
  const GuardedArray<T> B(matrix<T>(K, N, N + 3), true), W(matrix<T>(N, K, K + 3), true);
  const std::vector<BFloat16> start(size_t(packed_bf16_size(K, N)), kGuard);
  const GuardedArray<BFloat16> packed(start, true), from_W(start, true);

  pack_bf16(Matrix<const T>(B.data(), K, N, N + 3), Vector<BFloat16>(packed.data(), start.size()));
  pack_bf16_transposed(Matrix<const T>(W.data(), N, K, K + 3),
                       Vector<BFloat16>(from_W.data(), start.size()));

  const auto expected = packed_slowly(K, N, [](int64_t k, int64_t n) { return value_at(k, n); });
  const auto expected_W = packed_slowly(K, N, [](int64_t k, int64_t n) { return value_at(n, k); });
  ASSERT_EQ(std::vector<BFloat16>(packed.data(), packed.data() + start.size()), expected);
  ASSERT_EQ(std::vector<BFloat16>(from_W.data(), from_W.data() + start.size()), expected_W);
}

TEST(PackBf16, WritesTheFormatAtEverySizeFromBothTypes) {
  for_each_target([] {
    for (const int64_t K : kSizes) {
      for (const int64_t N : kSizes) {
        expect_packed<BFloat16>(K, N);
        expect_packed<float>(K, N);
      }
    }
  });
}

template <typename T>
void expect_transposed(int64_t rows, int64_t cols) {
  SCOPED_TRACE(testing::Message() << rows << " x " << cols << ", " << sizeof(T) << " bytes");
  const GuardedArray<T> src(matrix<T>(rows, cols, cols + 3), true);
  const int64_t even = round_up(rows, 2), stride = even + 4;
  std::vector<BFloat16> dst(size_t(cols * stride), kGuard);

  transpose(Matrix<const T>(src.data(), rows, cols, cols + 3),
            Matrix<BFloat16>(dst.data(), cols, even, stride));

  for (int64_t c = 0; c < cols; ++c) {
    for (int64_t r = 0; r < stride; ++r) {
      const BFloat16 expected = r < rows   ? to_bfloat16(value_at(r, c))
                                : r < even ? BFloat16{0}
                                           : kGuard;
      ASSERT_EQ(dst[size_t(c * stride + r)], expected) << "at (" << c << ", " << r << ")";
    }
  }
}

TEST(TransposeBf16, SwapsRowsAndColumnsOfEverySizeFromBothTypes) {
  for_each_target([] {
    for (const int64_t rows : kSizes) {
      for (const int64_t cols : kSizes) {
        expect_transposed<BFloat16>(rows, cols);
        expect_transposed<float>(rows, cols);
      }
    }
  });
}

}  // namespace
}  // namespace weft
