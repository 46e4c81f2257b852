// Arena: owns the large, aligned arrays that views point into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/view.h"

namespace weft {

// Allocates zeroed, 64-byte aligned arrays that live as long as the arena. Memory comes from mmap,
// so a page costs nothing until a thread first touches it, which also places the page near that
// thread. Not thread-safe. Throws Error when the system has no memory.
class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // kSmall: for an array of which only parts are touched, so that the rest costs only address
  // space.
  enum class Pages { kLarge, kSmall };

  std::byte* allocate_bytes(size_t bytes, Pages pages = Pages::kLarge);

  template <typename T>
  Vector<T> vector(int64_t n, Pages pages = Pages::kLarge) {
    return {reinterpret_cast<T*>(allocate_bytes(sizeof(T) * static_cast<size_t>(n), pages)),
            static_cast<size_t>(n)};
  }
  template <typename T>
  Matrix<T> matrix(int64_t rows, int64_t cols) {
    return {vector<T>(rows * cols).data(), rows, cols};
  }

  // Returns the memory of the pages inside the array to the system; their elements become zero.
  static void release(Vector<float> array);

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
