// Tile: a named rectangle of bytes, the unit in which operations declare what they touch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weft {

using TileId = uint32_t;

// rows runs of row_bytes bytes, the first of each stride_bytes apart (a row block of a matrix, or a
// block of its columns). A contiguous tile has one row.
struct Tile {
  std::string name;
  std::byte* data = nullptr;
  size_t rows = 1;
  size_t row_bytes = 0;
  size_t stride_bytes = 0;
};

// All tiles that the programs of one model share. A TileId is an index into it.
// Not thread-safe while tiles are added; immutable afterwards.
class TileTable {
 public:
  TileId add(Tile tile);

  const Tile& operator[](TileId id) const { return tiles_[id]; }
  size_t size() const { return tiles_.size(); }

  // Throws Error if two tiles share a name or a byte: then declarations could not be trusted.
  void validate() const;

 private:
  std::vector<Tile> tiles_;
};

}  // namespace weft
