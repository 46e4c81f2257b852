// Bf16Matrix: a matrix of bf16 with gaps of NaN between its rows.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bfloat16.h"
#include "base/rng.h"
#include "base/view.h"

namespace weft {

// Owns (rows, cols) elements, zero at first, in misaligned memory. A kernel that reads a gap
// poisons its result; gaps_hold() is false if a gap was written.
class Bf16Matrix {
 public:
  Bf16Matrix(int64_t rows, int64_t cols)
      : rows_(rows),
        cols_(cols),
        storage_(static_cast<size_t>(kFirst + rows * (cols + kGap)), kGuard) {
    for (int64_t r = 0; r < rows; ++r) {
      for (BFloat16& value : view().row(r)) value = BFloat16{0};
    }
  }

  // Normally distributed elements, rounded to bf16; a pure function of the seed.
  static Bf16Matrix normal(int64_t rows, int64_t cols, uint64_t seed, double scale = 1.) {
    Bf16Matrix matrix(rows, cols);
    for (int64_t i = 0; i < rows * cols; ++i) {
      matrix.view().at(i / cols, i % cols) =
          to_bfloat16(static_cast<float>(scale * random_normal(seed, 0, static_cast<uint64_t>(i))));
    }
    return matrix;
  }

  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }
  Matrix<BFloat16> view() { return {storage_.data() + kFirst, rows_, cols_, cols_ + kGap}; }
  float value(int64_t r, int64_t c) { return to_float(view().at(r, c)); }
  std::vector<float> values() {
    std::vector<float> all;
    for (int64_t r = 0; r < rows_; ++r) {
      for (const BFloat16 value : view().row(r)) all.push_back(to_float(value));
    }
    return all;
  }

  bool gaps_hold() const {
    for (int64_t i = 0; i < static_cast<int64_t>(storage_.size()); ++i) {
      const bool inside = i >= kFirst && (i - kFirst) % (cols_ + kGap) < cols_;
      if (!inside && storage_[static_cast<size_t>(i)] != kGuard) return false;
    }
    return true;
  }

 private:
  static constexpr int64_t kFirst = 3, kGap = 5;
  static constexpr BFloat16 kGuard{0x7FC0};  // NaN

  int64_t rows_, cols_;
  std::vector<BFloat16> storage_;
};

}  // namespace weft
