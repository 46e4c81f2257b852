#include "program/tile.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "base/error.h"

namespace weft {
namespace {

const std::byte* row_begin(const Tile& tile, size_t row) {
  return tile.data + row * tile.stride_bytes;
}

const std::byte* end_of(const Tile& tile) {
  return row_begin(tile, tile.rows - 1) + tile.row_bytes;
}

// True if a row of b shares a byte with the run [begin, end).
bool touches(const Tile& b, const std::byte* begin, const std::byte* end) {
  if (end <= b.data || begin >= end_of(b)) return false;
  // Only the rows of b around `begin` can matter; rows do not overlap each other.
  const size_t stride = std::max<size_t>(b.stride_bytes, 1);
  size_t row = begin > b.data ? static_cast<size_t>(begin - b.data) / stride : 0;
  for (; row < b.rows && row_begin(b, row) < end; ++row) {
    if (row_begin(b, row) + b.row_bytes > begin) return true;
  }
  return false;
}

bool overlap(const Tile& a, const Tile& b) {
  const Tile& fewer = a.rows <= b.rows ? a : b;
  const Tile& more = a.rows <= b.rows ? b : a;
  for (size_t row = 0; row < fewer.rows; ++row) {
    const std::byte* begin = row_begin(fewer, row);
    if (touches(more, begin, begin + fewer.row_bytes)) return true;
  }
  return false;
}

}  // namespace

TileId TileTable::add(Tile tile) {
  require(tile.data != nullptr && tile.rows > 0 && tile.row_bytes > 0, "a tile has bytes");
  require(tile.rows == 1 || tile.stride_bytes >= tile.row_bytes, "rows of a tile are disjoint");
  tiles_.push_back(std::move(tile));
  return static_cast<TileId>(tiles_.size() - 1);
}

void TileTable::validate() const {
  std::unordered_set<std::string> names;
  for (const Tile& tile : tiles_) {
    if (!names.insert(tile.name).second) {
      throw failure("program.validate", fmt::format("two tiles are named '{}'", tile.name));
    }
  }
  // Sweep by first byte; `open` holds the tiles whose extent may still reach the next one.
  std::vector<TileId> order(tiles_.size());
  std::iota(order.begin(), order.end(), TileId{0});
  std::sort(order.begin(), order.end(),
            [&](TileId a, TileId b) { return tiles_[a].data < tiles_[b].data; });
  std::vector<TileId> open;
  for (TileId id : order) {
    std::erase_if(open, [&](TileId other) { return end_of(tiles_[other]) <= tiles_[id].data; });
    for (TileId other : open) {
      if (overlap(tiles_[other], tiles_[id])) {
        throw failure("program.validate", fmt::format("tiles '{}' and '{}' share bytes",
                                                      tiles_[other].name, tiles_[id].name));
      }
    }
    open.push_back(id);
  }
}

}  // namespace weft
