// AMX: the shapes of a thread's eight tile registers, and the state that holds them.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace weft {

inline constexpr int kTileRows = 16;
inline constexpr int kTileRowBytes = 64;  // 16 floats or 32 bf16

// The operand of ldtilecfg: 64 bytes in the layout that the instruction fixes.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  void set(int tile, int64_t n_rows, int64_t n_row_bytes) {
    rows[tile] = static_cast<uint8_t>(n_rows);
    row_bytes[tile] = static_cast<uint16_t>(n_row_bytes);
  }
};
static_assert(sizeof(TileConfig) == 64);

// g++ 12 does not know that loads of tiles, and of most of their configuration, read memory: it
// could leave out or delay a store that only they see. After this, all stores are done.
inline void finish_stores() noexcept { asm volatile("" ::: "memory"); }

// The tiles hold zeros afterwards.
[[gnu::target("amx-tile")]] inline void load(const TileConfig& config) noexcept {
  finish_stores();
  _tile_loadconfig(&config);
}

// Releases the thread's tile registers, so that its context is small again.
[[gnu::target("amx-tile")]] inline void release_tiles() noexcept { _tile_release(); }

}  // namespace weft
