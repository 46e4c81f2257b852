// ScratchCutter: cuts a block of scratch memory into 64-byte aligned arrays.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/math.h"
#include "base/view.h"

namespace weft {

// With null as memory, the same calls count the bytes that they need.
class ScratchCutter {
 public:
  explicit ScratchCutter(std::byte* memory) : memory_(memory) {}

  template <typename T>
  Matrix<T> matrix(int64_t rows, int64_t cols) {
    return {cut<T>(rows * cols), rows, cols};
  }
  template <typename T>
  Vector<T> vector(int64_t n) {
    return {cut<T>(n), static_cast<size_t>(memory_ != nullptr ? n : 0)};
  }
  size_t bytes() const { return bytes_; }

 private:
  template <typename T>
  T* cut(int64_t n) {
    constexpr int64_t kLineBytes = 64;
    const size_t begin = bytes_;
    bytes_ += static_cast<size_t>(round_up(n * int64_t{sizeof(T)}, kLineBytes));
    return memory_ != nullptr ? reinterpret_cast<T*>(memory_ + begin) : nullptr;
  }

  std::byte* memory_;
  size_t bytes_ = 0;
};

}  // namespace weft
