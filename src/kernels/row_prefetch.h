// RowPrefetch: fetches rows into the cache before they are needed, a few at a time, while other
// work runs.
//
// The rows of one head are a few cache lines each and thousands of bytes apart, so the hardware
// sees no stream in them, and a core waits for no more than a dozen lines at once. Hence a few at a
// time: more would stop the work that they should hide behind.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/view.h"

namespace weft {

// A hint: changes no memory and no result. Holds at most 8 matrices, served in order.
class RowPrefetch {
 public:
  // REQUIRES: fewer than 8 matrices so far.
  void will_read(Matrix<const float> x) noexcept { parts_[n_parts_++] = {x, false}; }
  void will_write(Matrix<const float> x) noexcept { parts_[n_parts_++] = {x, true}; }

  // Asks for the next rows, at most this many.
  void advance(int64_t rows) noexcept {
    while (rows > 0 && part_ < n_parts_) {
      const Part& part = parts_[part_];
      const int64_t n = std::min(rows, part.x.rows - row_);
      fetch(part.x.row_block(row_, n), part.write);
      rows -= n;
      row_ += n;
      if (row_ == part.x.rows) ++part_, row_ = 0;
    }
  }

 private:
  struct Part {
    Matrix<const float> x;
    bool write = false;
  };

  static void fetch(Matrix<const float> x, bool write) noexcept {
    constexpr int64_t kFloatsOfALine = 16;
    constexpr int kIntoL2 = 2;
    for (int64_t r = 0; r < x.rows; ++r) {
      for (int64_t c = 0; c < x.cols; c += kFloatsOfALine) {
        if (write) {
          __builtin_prefetch(&x.at(r, c), 1, kIntoL2);
        } else {
          __builtin_prefetch(&x.at(r, c), 0, kIntoL2);
        }
      }
    }
  }

  std::array<Part, 8> parts_;
  size_t n_parts_ = 0, part_ = 0;
  int64_t row_ = 0;
};

}  // namespace weft
