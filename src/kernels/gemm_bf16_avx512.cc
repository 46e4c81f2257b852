// GemmBf16 by AVX512-BF16: a block of 12 x 32 sums in 24 registers, which meet two vectors of B.
#include <immintrin.h>

#include <array>
#include <utility>

#include "kernels/gemm_bf16_blocks.h"

namespace weft {
namespace {

constexpr int64_t kRows = 12;
constexpr int64_t kLanes = 16;
constexpr int64_t kPanelBytes = 512 << 10;  // Zen 4 and 5 have 1 MiB of L2 per core

// Two bf16 of a row of A, in every lane. They need not be aligned to 4 bytes.
[[gnu::target("avx512f,avx512bf16"), gnu::always_inline]] inline __m512bh broadcast_pair(
    const BFloat16* pair) {
  int bits;
  std::memcpy(&bits, pair, sizeof(bits));
  return reinterpret_cast<__m512bh>(_mm512_set1_epi32(bits));
}

[[gnu::target("avx512f,avx512bf16"), gnu::always_inline]] inline __m512bh load_pairs(
    const BFloat16* pairs) {
  return reinterpret_cast<__m512bh>(_mm512_loadu_si512(pairs));
}

// The sums of m rows: lanes of columns 0 to 15, and 16 to 31.
template <int64_t m>
struct Sums {
  __m512 left[m], right[m];
};

template <int64_t m>
[[gnu::target("avx512f,avx512bf16"), gnu::always_inline]] inline void add_products(
    const BFloat16* A, int64_t lda, const BFloat16* B, int64_t steps, Sums<m>& sums) {
  for (int64_t k = 0; k < steps * kBf16PanelRows; k += 2, B += 2 * kBf16PanelColumns) {
    const __m512bh left = load_pairs(B);
    const __m512bh right = load_pairs(B + 2 * kLanes);
    for (int64_t r = 0; r < m; ++r) {
      const __m512bh a = broadcast_pair(A + r * lda + k);
      sums.left[r] = _mm512_dpbf16_ps(sums.left[r], a, left);
      sums.right[r] = _mm512_dpbf16_ps(sums.right[r], a, right);
    }
  }
}

// The lanes that exist of n columns, counted from the first of the vector.
constexpr __mmask16 lanes(int64_t n) {
  return static_cast<__mmask16>(n >= kLanes ? 0xFFFF : n <= 0 ? 0 : (1 << n) - 1);
}

template <int64_t m>
[[gnu::target("avx512f,avx512bf16")]] void multiply_block(const Bf16Block& x, int64_t lda,
                                                          int64_t ldc) {
  const __mmask16 left = lanes(x.n), right = lanes(x.n - kLanes);
  const __mmask16 loaded = x.accumulate ? 0xFFFF : 0;
  Sums<m> sums;
  for (int64_t r = 0; r < m; ++r) {
    const float* const row = x.C + r * ldc;
    sums.left[r] = _mm512_maskz_loadu_ps(left & loaded, row);
    sums.right[r] = _mm512_maskz_loadu_ps(right & loaded, row + kLanes);
  }
  add_products<m>(x.A, lda, x.B, x.steps, sums);
  if (x.tail != nullptr) {
    add_products<m>(x.tail, kBf16PanelRows, x.B + x.steps * kBf16PanelRows * kBf16PanelColumns, 1,
                    sums);
  }
  for (int64_t r = 0; r < m; ++r) {
    _mm512_mask_storeu_ps(x.C + r * ldc, left, sums.left[r]);
    _mm512_mask_storeu_ps(x.C + r * ldc + kLanes, right, sums.right[r]);
  }
}

using MultiplyBlock = void (*)(const Bf16Block&, int64_t, int64_t);

// Entry m - 1 is for blocks of m rows.
template <int64_t... kIndices>
constexpr auto kernels_of(std::integer_sequence<int64_t, kIndices...>) {
  return std::array<MultiplyBlock, kRows>{multiply_block<kIndices + 1>...};
}
constexpr auto kKernels = kernels_of(std::make_integer_sequence<int64_t, kRows>());

}  // namespace

void multiply_by_vectors(const GemmBf16Shape& s, const BFloat16* A, const BFloat16* B, float* C) {
  for_each_block<kRows, kPanelBytes>(s, A, B, C, [&](const Bf16Block& block) {
    kKernels[static_cast<size_t>(block.m - 1)](block, s.lda, s.ldc);
  });
}

}  // namespace weft
