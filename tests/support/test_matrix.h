// TestMatrix: a matrix in misaligned memory, with guards around every row.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "base/view.h"

namespace weft {

// Owns (rows, cols) floats, zero at first. The elements before, between and after the rows are NaN:
// a kernel that reads one poisons its result, and guards_hold() is false if one was written.
class TestMatrix {
 public:
  // offset: how many floats past a 64-byte boundary the first row begins, 1 or more.
  TestMatrix(int64_t rows, int64_t cols, int64_t offset = 1)
      : rows_(rows),
        cols_(cols),
        stride_(cols + kGap),
        storage_(static_cast<size_t>(kAlignment + offset + rows * stride_), kGuard),
        first_(elements_to_boundary() + offset) {
    for (int64_t r = 0; r < rows; ++r) std::ranges::fill(row(r), 0.f);
  }
  // A move keeps the storage and so its alignment; a copy would change the alignment.
  TestMatrix(TestMatrix&&) = default;
  TestMatrix& operator=(TestMatrix&&) = default;

  // Normally distributed elements, a pure function of the seed.
  static TestMatrix normal(int64_t rows, int64_t cols, uint64_t seed, double scale = 1,
                           int64_t offset = 1) {
    TestMatrix matrix(rows, cols, offset);
    for (int64_t i = 0; i < rows * cols; ++i) {
      matrix.at(i / cols, i % cols) =
          static_cast<float>(scale * random_normal(seed, 0, static_cast<uint64_t>(i)));
    }
    return matrix;
  }

  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }
  Matrix<float> view() { return {storage_.data() + first_, rows_, cols_, stride_}; }
  Vector<float> row(int64_t r = 0) { return view().row(r); }
  float& at(int64_t r, int64_t c) { return view().at(r, c); }
  operator Matrix<float>() { return view(); }
  operator Matrix<const float>() { return view(); }

  std::vector<float> values() {
    std::vector<float> all;
    for (int64_t r = 0; r < rows_; ++r) all.insert(all.end(), row(r).begin(), row(r).end());
    return all;
  }

  void assign(const std::vector<float>& values) {
    for (int64_t i = 0; i < rows_ * cols_; ++i) at(i / cols_, i % cols_) = values[size_t(i)];
  }

  bool guards_hold() const {
    for (int64_t i = 0; i < static_cast<int64_t>(storage_.size()); ++i) {
      const int64_t from_first = i - first_;
      const bool inside = from_first >= 0 && from_first < rows_ * stride_;
      if (inside && from_first % stride_ < cols_) continue;
      if (std::bit_cast<uint32_t>(storage_[size_t(i)]) != std::bit_cast<uint32_t>(kGuard)) {
        return false;
      }
    }
    return true;
  }

 private:
  static constexpr int64_t kGap = 5;
  static constexpr int64_t kAlignment = 16;  // floats in 64 bytes
  static constexpr float kGuard = std::numeric_limits<float>::quiet_NaN();

  int64_t elements_to_boundary() const {
    const auto address = reinterpret_cast<uintptr_t>(storage_.data()) / sizeof(float);
    return (kAlignment - static_cast<int64_t>(address % kAlignment)) % kAlignment;
  }

  int64_t rows_, cols_, stride_;
  std::vector<float> storage_;
  int64_t first_;
};

}  // namespace weft
