// Tile: a named rectangle of bytes. Operations declare the tiles that they read and write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weft {

using TileId = uint32_t;

// `rows` runs of row_bytes bytes each, which begin stride_bytes apart: a block of rows or columns
// of a matrix. A contiguous tile has one row.
struct Tile {
  std::string name;
  std::byte* data = nullptr;
  size_t rows = 1;
  size_t row_bytes = 0;
  size_t stride_bytes = 0;
};

// The tiles that the programs of one model share. A TileId is an index into the table.
// Adding tiles is not thread-safe; reading the finished table is.
class TileTable {
 public:
  TileId add(Tile tile);

  const Tile& operator[](TileId id) const { return tiles_[id]; }
  size_t size() const { return tiles_.size(); }

  // Throws Error if two tiles share a name or a byte, because conflicts could then go unnoticed.
  void validate() const;

 private:
  std::vector<Tile> tiles_;
};

}  // namespace weft
