// Operands: the arrays that a kernel is timed on, with random values, because zeros and constants
// are faster.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/view.h"

namespace weft {

// Allocates memory and fills it with standard normal values. Small operands share pages, as in a
// step. Not thread-safe.
class Operands {
 public:
  Operands();

  Vector<float> vector(int64_t n);
  Matrix<float> matrix(int64_t rows, int64_t cols);
  // Returns a block of `cols` columns of a matrix of `stride` columns. The next call returns the
  // block beside it, or one of a new matrix where that one is used up. REQUIRES: cols <= stride.
  Matrix<float> columns(int64_t rows, int64_t cols, int64_t stride);
  // Uniform in [0, limit).
  Vector<int32_t> indices(int64_t n, int64_t limit);

  // Returns the same memory for every call with the same name.
  Matrix<float> shared(const std::string& name, int64_t rows, int64_t cols);
  // Returns the same memory with undefined contents for every call.
  std::byte* scratch(size_t bytes);

  size_t bytes() const { return bytes_; }

 private:
  std::byte* allocate(size_t bytes);
  void fill(Vector<float> values);

  Arena arena_;
  std::byte* free_ = nullptr;
  size_t free_bytes_ = 0, bytes_ = 0;
  std::vector<float> normals_;
  size_t next_normal_ = 0;
  Matrix<float> striped_;
  int64_t next_column_ = 0;
  std::map<std::string, Matrix<float>> shared_;
  std::byte* scratch_ = nullptr;
};

}  // namespace weft
