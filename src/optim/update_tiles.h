// UpdateTiles: how one parameter is divided among the ops of the gradient norm and of the update.
#pragma once

#include <cstdint>
#include <vector>

#include "program/tiled.h"

namespace weft {

// The tiles of a matrix, numbered row by row. A vector is one tile, because it is too small to be
// divided.
class UpdateTiles {
 public:
  explicit UpdateTiles(const Tiled<float>& parameter)
      : rows_(parameter.rows() == 1 ? std::vector<Range>{{0, 1}} : parameter.row_ranges()),
        cols_(parameter.rows() == 1 ? std::vector<Range>{{0, parameter.cols()}}
                                    : parameter.col_ranges()) {}

  int64_t count() const { return int64_t(rows_.size() * cols_.size()); }

  // The number of the tile that holds the range.
  int64_t number(Range rows, Range cols) const {
    return rows.begin / rows_[0].size() * int64_t(cols_.size()) + cols.begin / cols_[0].size();
  }

  // Whether the range holds the first element of its tile.
  bool begins(Range rows, Range cols) const {
    return rows.begin % rows_[0].size() == 0 && cols.begin % cols_[0].size() == 0;
  }

  // Calls emit(rows, cols, number) for every tile.
  template <typename Emit>
  void for_each(const Emit& emit) const {
    for (const Range& rows : rows_) {
      for (const Range& cols : cols_) emit(rows, cols, number(rows, cols));
    }
  }

 private:
  std::vector<Range> rows_, cols_;
};

}  // namespace weft
