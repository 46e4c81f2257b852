#include "kernels/bf16_peak.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "base/bfloat16.h"
#include "kernels/amx_tiles.h"

namespace weft {
namespace {

constexpr int kTiles = 4;  // of sums, as the product has: they hide the latency of tdpbf16ps
constexpr int64_t kSumsPerTile = int64_t{kTileRows} * 16;
constexpr int64_t kProductsPerSum = 32;

// vdpbf16ps has a latency of 6 cycles at most and two ports at most.
constexpr int kChains = 16;
constexpr int64_t kLanes = 16;

TileConfig config_of_whole_tiles() {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) config.set(tile, kTileRows, kTileRowBytes);
  return config;
}

[[gnu::target("amx-tile,amx-bf16")]] float multiply_add_tiles(int64_t rounds) {
  BFloat16 ones[kSumsPerTile * 2];
  std::ranges::fill(ones, to_bfloat16(1.f));
  float sums[kTiles * kSumsPerTile];
  load(config_of_whole_tiles());
  finish_stores();
  _tile_loadd(4, ones, kTileRowBytes);
  _tile_loadd(5, ones, kTileRowBytes);
  _tile_loadd(6, ones, kTileRowBytes);
  _tile_loadd(7, ones, kTileRowBytes);
  for (int64_t round = 0; round < rounds; ++round) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums, kTileRowBytes);
  _tile_stored(1, sums + kSumsPerTile, kTileRowBytes);
  _tile_stored(2, sums + 2 * kSumsPerTile, kTileRowBytes);
  _tile_stored(3, sums + 3 * kSumsPerTile, kTileRowBytes);
  release_tiles();
  return std::accumulate(std::begin(sums), std::end(sums), 0.f);
}

[[gnu::target("avx512f,avx512bf16")]] float multiply_add_vectors(int64_t rounds) {
  const auto pair_of_ones = reinterpret_cast<__m512bh>(_mm512_set1_epi32(0x3F803F80));
  __m512 chains[kChains];
  for (__m512& chain : chains) chain = _mm512_setzero_ps();
  for (int64_t round = 0; round < rounds; ++round) {
    for (__m512& chain : chains) chain = _mm512_dpbf16_ps(chain, pair_of_ones, pair_of_ones);
  }
  float sums[kChains * kLanes];
  for (int i = 0; i < kChains; ++i) _mm512_storeu_ps(sums + i * kLanes, chains[i]);
  return std::accumulate(std::begin(sums), std::end(sums), 0.f);
}

}  // namespace

float multiply_add_bf16(Bf16Backend backend, int64_t rounds) noexcept {
  return backend == Bf16Backend::kAmx ? multiply_add_tiles(rounds) : multiply_add_vectors(rounds);
}

int64_t multiply_add_bf16_flops(Bf16Backend backend, int64_t rounds) noexcept {
  const int64_t products =
      backend == Bf16Backend::kAmx ? kTiles * kSumsPerTile * kProductsPerSum : kChains * kLanes * 2;
  return 2 * products * rounds;
}

}  // namespace weft
