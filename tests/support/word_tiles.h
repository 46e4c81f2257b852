// WordTiles and MixingProgram: small programs for tests of executors and dependences.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "program/program.h"

namespace weft {

// A table of tiles t0, t1, .. of a few 64-bit words each, zero at first.
class WordTiles {
 public:
  explicit WordTiles(size_t tiles) : words_(tiles * kWords) {
    for (size_t i = 0; i < tiles; ++i) {
      table_.add({"t" + std::to_string(i), reinterpret_cast<std::byte*>((*this)[i].data()), 1,
                  kWords * sizeof(uint64_t), 0});
    }
  }
  WordTiles(const WordTiles&) = delete;
  WordTiles& operator=(const WordTiles&) = delete;

  const TileTable& table() const { return table_; }
  std::span<uint64_t> operator[](size_t tile) {
    return std::span(words_).subspan(tile * kWords, kWords);
  }
  std::vector<uint64_t>& words() { return words_; }

 private:
  static constexpr size_t kWords = 3;
  std::vector<uint64_t> words_;
  TileTable table_;
};

inline Op make_op(
    std::string name, std::vector<TileId> reads, std::vector<TileId> writes,
    std::function<void(std::byte*)> run = [](std::byte*) {}, size_t scratch_bytes = 0) {
  return {.name = OpName{.kind = std::move(name)},
          .reads = std::move(reads),
          .writes = std::move(writes),
          .run = std::move(run),
          .scratch_bytes = scratch_bytes};
}

// The definition of a conflict, written out.
inline bool conflict(const Op& a, const Op& b) {
  const auto share = [](const std::vector<TileId>& x, const std::vector<TileId>& y) {
    return std::ranges::any_of(x, [&](TileId id) { return std::ranges::count(y, id) > 0; });
  };
  return share(a.writes, b.writes) || share(a.writes, b.reads) || share(a.reads, b.writes);
}

// Random numbers, a pure function of the seed.
class Draw {
 public:
  explicit Draw(uint64_t seed) : seed_(seed) {}
  size_t below(size_t n) { return random_u64(seed_, 0, index_++) % n; }
  std::vector<TileId> tiles(size_t count, size_t below_id) {
    std::vector<TileId> ids(count);
    for (TileId& id : ids) id = static_cast<TileId>(below(below_id));
    return ids;
  }

 private:
  uint64_t seed_;
  uint64_t index_ = 0;
};

// A random program whose ops hash the tiles that they read into the tiles that they write. So any
// two conflicting ops that change places leave other bits behind.
class MixingProgram {
 public:
  MixingProgram(uint64_t seed, size_t tiles, size_t ops)
      : seed_(seed), tiles_(tiles), program_("mixing", tiles_.table()) {
    Draw draw(seed);
    for (size_t i = 0; i < ops; ++i) {
      // One op in fifty gathers from many tiles, as a gradient norm does.
      const size_t reads = draw.below(50) == 0 ? tiles / 3 : draw.below(5);
      add_op(i, draw.tiles(reads, tiles), draw.tiles(1 + draw.below(3), tiles));
    }
    reset();
  }

  const Program& program() const { return program_; }

  // Restores the initial memory.
  void reset() {
    for (size_t i = 0; i < tiles_.words().size(); ++i) {
      tiles_.words()[i] = random_u64(seed_, 1, i);
    }
  }

  const std::vector<uint64_t>& memory() { return tiles_.words(); }

  // The memory that running the ops front to back, `times` times, leaves. Does not change the
  // present memory.
  std::vector<uint64_t> expected_memory(int times = 1) {
    const std::vector<uint64_t> before = memory();
    for (int i = 0; i < times; ++i) {
      for (const Op& op : program_.ops()) op.run(nullptr);
    }
    std::vector<uint64_t> after = memory();
    std::ranges::copy(before, tiles_.words().begin());
    return after;
  }

 private:
  static constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;

  void add_op(size_t number, const std::vector<TileId>& reads, const std::vector<TileId>& writes) {
    program_.add(make_op("mix" + std::to_string(number), reads, writes,
                         [this, number, reads, writes](std::byte*) {
                           uint64_t hash = number;
                           for (TileId id : reads) {
                             for (uint64_t word : tiles_[id]) hash = hash * kMultiplier + word;
                           }
                           // Every fourth op yields, so that an op which should wait can overtake.
                           if (number % 4 == 0) std::this_thread::yield();
                           for (TileId id : writes) {
                             for (uint64_t& word : tiles_[id]) {
                               word = word * kMultiplier + hash;
                               hash ^= word >> 29;
                             }
                           }
                         }));
  }

  uint64_t seed_;
  WordTiles tiles_;
  Program program_;
};

}  // namespace weft
