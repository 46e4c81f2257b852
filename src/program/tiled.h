// Tiled: a matrix cut into a grid of tiles, so that an op can declare the part that it touches.
#pragma once

#include <string>
#include <vector>

#include "base/arena.h"
#include "base/error.h"
#include "base/math.h"
#include "base/view.h"
#include "program/tile.h"

namespace weft {

// A half-open range of rows or columns.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;

  int64_t size() const { return end - begin; }
};

// Cuts [0, n) into ranges of `tile`; the last may be shorter.
inline std::vector<Range> split(int64_t n, int64_t tile) {
  std::vector<Range> ranges;
  for (int64_t begin = 0; begin < n; begin += tile) {
    ranges.push_back({begin, begin + tile < n ? begin + tile : n});
  }
  return ranges;
}

// "name[i,j]" for a tile of a matrix that is cut into row_tiles x col_tiles, "name[i]" and
// "name[:,j]" where it is cut in one direction alone, and "name" where it is whole.
std::string tile_name(const std::string& name, int64_t i, int64_t row_tiles, int64_t j,
                      int64_t col_tiles);

template <typename T>
class Tiled {
 public:
  Tiled() = default;

  // Cuts `matrix` into tiles of row_tile x col_tile elements and adds them to the table, with names
  // name[i,j]. If only the rows are cut, the names are name[i]; if only the columns, name[:,j]; if
  // neither, name.
  Tiled(TileTable& table, const std::string& name, Matrix<T> matrix, int64_t row_tile,
        int64_t col_tile)
      : matrix_(matrix), row_tile_(row_tile), col_tile_(col_tile) {
    first_ = static_cast<TileId>(table.size());
    for (const Range& rows : split(matrix.rows, row_tile)) {
      for (const Range& cols : split(matrix.cols, col_tile)) {
        const Matrix<T> part = matrix.block(rows.begin, rows.size(), cols.begin, cols.size());
        table.add({tile_name(name, rows.begin / row_tile, ceil_div(matrix.rows, row_tile),
                             cols.begin / col_tile, ceil_div(matrix.cols, col_tile)),
                   reinterpret_cast<std::byte*>(part.data), static_cast<size_t>(part.rows),
                   static_cast<size_t>(part.cols) * sizeof(T),
                   static_cast<size_t>(part.stride) * sizeof(T)});
      }
    }
  }

  const Matrix<T>& matrix() const { return matrix_; }
  // Elements of a matrix that has one column (column()) or one row (row_elements()).
  Vector<T> column(Range rows) const {
    return {matrix_.data + rows.begin, static_cast<size_t>(rows.size())};
  }
  Vector<T> row_elements(Range cols) const {
    return {matrix_.data + cols.begin, static_cast<size_t>(cols.size())};
  }
  int64_t rows() const { return matrix_.rows; }
  int64_t cols() const { return matrix_.cols; }
  std::vector<Range> row_ranges() const { return split(matrix_.rows, row_tile_); }
  std::vector<Range> col_ranges() const { return split(matrix_.cols, col_tile_); }

  Matrix<T> block(Range rows, Range cols) const {
    return matrix_.block(rows.begin, rows.size(), cols.begin, cols.size());
  }
  Matrix<T> block(Range rows) const { return matrix_.row_block(rows.begin, rows.size()); }

  // The tiles that intersect the given rectangle.
  std::vector<TileId> over(Range rows, Range cols) const {
    require(0 <= rows.begin && rows.end <= matrix_.rows && 0 <= cols.begin &&
                cols.end <= matrix_.cols && rows.size() > 0 && cols.size() > 0,
            "a tile range lies inside its matrix");
    std::vector<TileId> ids;
    const int64_t per_row = ceil_div(matrix_.cols, col_tile_);
    for (int64_t i = rows.begin / row_tile_; i * row_tile_ < rows.end; ++i) {
      for (int64_t j = cols.begin / col_tile_; j * col_tile_ < cols.end; ++j) {
        ids.push_back(first_ + static_cast<TileId>(i * per_row + j));
      }
    }
    return ids;
  }
  std::vector<TileId> over(Range rows) const { return over(rows, {0, matrix_.cols}); }
  std::vector<TileId> over_cols(Range cols) const { return over({0, matrix_.rows}, cols); }
  std::vector<TileId> all() const { return over({0, matrix_.rows}); }

 private:
  Matrix<T> matrix_;
  int64_t row_tile_ = 1, col_tile_ = 1;
  TileId first_ = 0;
};

// Allocates a zeroed matrix in the arena and cuts it into tiles.
template <typename T>
Tiled<T> allocate_tiled(Arena& arena, TileTable& table, const std::string& name, int64_t rows,
                        int64_t cols, int64_t row_tile, int64_t col_tile) {
  return Tiled<T>(table, name, arena.matrix<T>(rows, cols), row_tile, col_tile);
}

}  // namespace weft
