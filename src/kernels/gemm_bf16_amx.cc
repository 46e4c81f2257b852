// GemmBf16 by AMX: a block of 32 x 32 sums in four tiles, which meet two tiles of A and two of B.
#include <algorithm>
#include <cstddef>

#include "kernels/amx_tiles.h"
#include "kernels/gemm_bf16_blocks.h"

// Intrinsics of tiles take literal numbers: 0 to 3 hold C (rows 0 and 16, columns 0 and 16 of the
// block), 4 and 5 hold A (rows 0 and 16), 6 and 7 hold B (columns 0 and 16).

namespace weft {
namespace {

constexpr int64_t kRows = int64_t{2} * kTileRows;
constexpr int64_t kPanelBytes = 768 << 10;  // CPUs with tiles have 2 MiB of L2 per core
constexpr int64_t kPanelRowBytes = kBf16PanelColumns * 2 * sizeof(BFloat16);  // of a pair of rows
constexpr int64_t kPanelStepBytes = kPanelRowBytes * kTileRows;

// Sizes the tiles for a block of (m, n): they touch no element outside of it.
TileConfig config_of(int64_t m, int64_t n) {
  TileConfig config;
  for (int64_t row = 0; row < m; row += kTileRows) {
    const int64_t n_rows = std::min<int64_t>(kTileRows, m - row);
    const int row_tile = static_cast<int>(row / kTileRows);
    config.set(4 + row_tile, n_rows, kTileRowBytes);
    for (int64_t col = 0; col < n; col += kTileRows) {
      const int64_t row_bytes = std::min<int64_t>(kTileRowBytes, 4 * (n - col));
      const int col_tile = static_cast<int>(col / kTileRows);
      config.set(2 * row_tile + col_tile, n_rows, row_bytes);
      config.set(6 + col_tile, kTileRows, row_bytes);
    }
  }
  return config;
}

// Sums += A B over whole steps of 32. Stream loads keep B, which passes by, from pushing the rows
// of A out of L1.
template <bool kTwoRows, bool kTwoCols>
[[gnu::target("amx-tile,amx-bf16"), gnu::always_inline]] inline void add_products(const BFloat16* A,
                                                                                  int64_t lda,
                                                                                  const BFloat16* B,
                                                                                  int64_t steps) {
  const int64_t row_bytes = lda * static_cast<int64_t>(sizeof(BFloat16));
  const auto* a = reinterpret_cast<const std::byte*>(A);
  const auto* b = reinterpret_cast<const std::byte*>(B);
  for (int64_t step = 0; step < steps; ++step, a += kTileRowBytes, b += kPanelStepBytes) {
    _tile_stream_loadd(6, b, kPanelRowBytes);
    _tile_loadd(4, a, row_bytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (kTwoCols) {
      _tile_stream_loadd(7, b + kTileRowBytes, kPanelRowBytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (kTwoRows) {
      _tile_loadd(5, a + kTileRows * row_bytes, row_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (kTwoCols) _tile_dpbf16ps(3, 5, 7);
    }
  }
}

template <bool kTwoRows, bool kTwoCols>
[[gnu::target("amx-tile,amx-bf16"), gnu::always_inline]] inline void begin_sums(const float* C,
                                                                                int64_t ldc,
                                                                                bool accumulate) {
  const int64_t row_bytes = ldc * static_cast<int64_t>(sizeof(float));
  if (accumulate) {
    _tile_loadd(0, C, row_bytes);
    if constexpr (kTwoCols) _tile_loadd(1, C + kTileRows, row_bytes);
    if constexpr (kTwoRows) _tile_loadd(2, C + kTileRows * ldc, row_bytes);
    if constexpr (kTwoRows && kTwoCols) _tile_loadd(3, C + kTileRows * ldc + kTileRows, row_bytes);
  } else {
    _tile_zero(0);
    if constexpr (kTwoCols) _tile_zero(1);
    if constexpr (kTwoRows) _tile_zero(2);
    if constexpr (kTwoRows && kTwoCols) _tile_zero(3);
  }
}

template <bool kTwoRows, bool kTwoCols>
[[gnu::target("amx-tile,amx-bf16"), gnu::always_inline]] inline void store_sums(float* C,
                                                                                int64_t ldc) {
  const int64_t row_bytes = ldc * static_cast<int64_t>(sizeof(float));
  _tile_stored(0, C, row_bytes);
  if constexpr (kTwoCols) _tile_stored(1, C + kTileRows, row_bytes);
  if constexpr (kTwoRows) _tile_stored(2, C + kTileRows * ldc, row_bytes);
  if constexpr (kTwoRows && kTwoCols) _tile_stored(3, C + kTileRows * ldc + kTileRows, row_bytes);
}

template <bool kTwoRows, bool kTwoCols>
[[gnu::target("amx-tile,amx-bf16")]] void multiply_block(const Bf16Block& x, int64_t lda,
                                                         int64_t ldc) {
  finish_stores();
  begin_sums<kTwoRows, kTwoCols>(x.C, ldc, x.accumulate);
  add_products<kTwoRows, kTwoCols>(x.A, lda, x.B, x.steps);
  if (x.tail != nullptr) {
    add_products<kTwoRows, kTwoCols>(x.tail, kBf16PanelRows,
                                     x.B + x.steps * kBf16PanelRows * kBf16PanelColumns, 1);
  }
  store_sums<kTwoRows, kTwoCols>(x.C, ldc);
}

using MultiplyBlock = void (*)(const Bf16Block&, int64_t, int64_t);

MultiplyBlock kernel_for(int64_t m, int64_t n) {
  if (m > kTileRows)
    return n > kTileRows ? multiply_block<true, true> : multiply_block<true, false>;
  return n > kTileRows ? multiply_block<false, true> : multiply_block<false, false>;
}

}  // namespace

void multiply_by_tiles(const GemmBf16Shape& s, const BFloat16* A, const BFloat16* B, float* C) {
  int64_t m = 0, n = 0;  // the block that the tiles are configured for
  MultiplyBlock multiply = nullptr;
  for_each_block<kRows, kPanelBytes>(s, A, B, C, [&](const Bf16Block& block) {
    if (block.m != m || block.n != n) {
      m = block.m;
      n = block.n;
      multiply = kernel_for(m, n);
      load(config_of(m, n));
    }
    multiply(block, s.lda, s.ldc);
  });
  release_tiles();
}

}  // namespace weft
