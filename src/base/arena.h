// Arena: one owner of the large, aligned memory that views point into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/view.h"

namespace weft {

// Hands out zeroed, 64-byte aligned arrays that live as long as the arena. Memory comes from mmap,
// so a page costs nothing until it is first touched (by the thread that uses it).
// Not thread-safe. Throws Error when the system has no memory.
class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  std::byte* allocate_bytes(size_t bytes);

  template <typename T>
  Vector<T> vector(int64_t n) {
    return {reinterpret_cast<T*>(allocate_bytes(sizeof(T) * static_cast<size_t>(n))),
            static_cast<size_t>(n)};
  }
  template <typename T>
  Matrix<T> matrix(int64_t rows, int64_t cols) {
    return {vector<T>(rows * cols).data(), rows, cols};
  }

  size_t bytes() const { return bytes_; }

 private:
  struct Mapping {
    void* address;
    size_t bytes;
  };
  std::vector<Mapping> mappings_;
  size_t bytes_ = 0;
};

}  // namespace weft
