// Matrix: a view of a rectangle of elements, passed by value; it does not own the memory.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

namespace weft {

// Row-major: element (r, c) is data[r * stride + c], with stride >= cols. Owns nothing.
template <typename T>
struct Matrix {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;

  Matrix() = default;
  Matrix(T* data, int64_t rows, int64_t cols) : Matrix(data, rows, cols, cols) {}
  Matrix(T* data, int64_t rows, int64_t cols, int64_t stride)
      : data(data), rows(rows), cols(cols), stride(stride) {}

  // A writable view converts to a read-only one.
  operator Matrix<const T>() const requires(!std::is_const_v<T>) {
    return {data, rows, cols, stride};
  }

  T& at(int64_t r, int64_t c) const { return data[r * stride + c]; }
  std::span<T> row(int64_t r) const { return {data + r * stride, static_cast<size_t>(cols)}; }

  // The rectangle of n_rows x n_cols elements whose first element is (r, c).
  Matrix block(int64_t r, int64_t n_rows, int64_t c, int64_t n_cols) const {
    return {data + r * stride + c, n_rows, n_cols, stride};
  }
  Matrix row_block(int64_t r, int64_t n_rows) const { return block(r, n_rows, 0, cols); }
  Matrix col_block(int64_t c, int64_t n_cols) const { return block(0, rows, c, n_cols); }
};

template <typename T>
using Vector = std::span<T>;

}  // namespace weft
