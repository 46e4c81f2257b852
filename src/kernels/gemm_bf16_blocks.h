// How both backends of GemmBf16 walk a product: in blocks of C that meet slices of K.
#pragma once

#include <algorithm>
#include <cstring>

#include "kernels/gemm_bf16.h"

namespace weft {

// The products of the two backends: C = A B (+ C) by their instructions, for any shape.
void multiply_by_tiles(const GemmBf16Shape& shape, const BFloat16* A, const BFloat16* B, float* C);
void multiply_by_vectors(const GemmBf16Shape& shape, const BFloat16* A, const BFloat16* B,
                         float* C);

// One block: C (m, n) = [A tail] B (+ C), where n <= 32 and m is at most the backend's rows.
struct Bf16Block {
  int64_t m, n;
  int64_t steps;         // whole steps of 32 along K
  const BFloat16* A;     // (m, 32 steps), rows lda apart
  const BFloat16* tail;  // (m, 32), rows 32 apart: the last columns of A, then zeros; may be null
  const BFloat16* B;     // 32 steps rows (and 32 more for the tail) of a panel
  float* C;
  bool accumulate;
};

// This many columns of a block of A stay in L1 while panels of B pass: docs/decisions/bf16.md.
inline constexpr int64_t kBf16SliceOfK = 384;

// The last K % 32 columns of kRows rows of A, with zeros behind them.
template <int64_t kRows>
class Bf16Tail {
 public:
  explicit Bf16Tail(const GemmBf16Shape& shape)
      : shape_(shape), columns_(shape.K % kBf16PanelRows) {}

  bool exists() const { return columns_ > 0; }
  const BFloat16* data() const { return elements_; }

  // A: the first of m rows.
  void take(const BFloat16* A, int64_t m) {
    if (!exists()) return;
    for (int64_t r = 0; r < m; ++r) {
      std::memcpy(elements_ + r * kBf16PanelRows, A + r * shape_.lda + shape_.K - columns_,
                  static_cast<size_t>(columns_) * sizeof(BFloat16));
    }
  }

 private:
  const GemmBf16Shape& shape_;
  int64_t columns_;
  alignas(64) BFloat16 elements_[kRows * kBf16PanelRows] = {};
};

// Calls multiply(Bf16Block) for every block of at most kRows rows, with panels of B of kPanelBytes
// in total that stay in L2 while all rows of A pass. Each element of C takes its slices of K in
// ascending order.
template <int64_t kRows, int64_t kPanelBytes, typename Multiply>
void for_each_block(const GemmBf16Shape& s, const BFloat16* A, const BFloat16* B, float* C,
                    Multiply multiply) {
  const int64_t panel = bf16_panel_size(s.K);
  const int64_t panel_bytes = panel * static_cast<int64_t>(sizeof(BFloat16));
  const int64_t columns = std::max<int64_t>(1, kPanelBytes / panel_bytes) * kBf16PanelColumns;
  Bf16Tail<kRows> tail(s);
  for (int64_t n0 = 0; n0 < s.N; n0 += columns) {
    const int64_t n_end = std::min(n0 + columns, s.N);
    for (int64_t m = 0; m < s.M; m += kRows) {
      const int64_t n_m = std::min(kRows, s.M - m);
      tail.take(A + m * s.lda, n_m);
      for (int64_t k = 0; k < s.K; k += kBf16SliceOfK) {
        const int64_t n_k = std::min(kBf16SliceOfK, s.K - k);
        for (int64_t n = n0; n < n_end; n += kBf16PanelColumns) {
          multiply(Bf16Block{
              .m = n_m,
              .n = std::min(kBf16PanelColumns, s.N - n),
              .steps = n_k / kBf16PanelRows,
              .A = A + m * s.lda + k,
              .tail = n_k % kBf16PanelRows > 0 ? tail.data() : nullptr,
              .B = B + n / kBf16PanelColumns * panel + k * kBf16PanelColumns,
              .C = C + m * s.ldc + n,
              .accumulate = s.accumulate || k > 0,
          });
        }
      }
    }
  }
}

}  // namespace weft
