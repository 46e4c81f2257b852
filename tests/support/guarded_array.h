// GuardedArray: elements between two inaccessible pages.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace weft {

// A copy of `values` that begins right after the first page, or ends right before the second. An
// access to either page ends the test with SIGSEGV.
template <typename T>
class GuardedArray {
 public:
  GuardedArray(const std::vector<T>& values, bool at_end) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = values.size() * sizeof(T);
    const size_t body = (bytes + page - 1) / page * page;
    bytes_ = body + 2 * page;
    base_ = static_cast<std::byte*>(
        mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + page, body, PROT_READ | PROT_WRITE);
    data_ = reinterpret_cast<T*>(base_ + page + (at_end ? body - bytes : 0));
    std::memcpy(data_, values.data(), bytes);
  }
  ~GuardedArray() { munmap(base_, bytes_); }
  GuardedArray(const GuardedArray&) = delete;
  GuardedArray& operator=(const GuardedArray&) = delete;

  T* data() const { return data_; }

 private:
  std::byte* base_;
  size_t bytes_;
  T* data_;
};

}  // namespace weft
