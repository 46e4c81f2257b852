// KernelCache: kernels prepared for a tile shape, shared by all ops with tiles of that shape.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

namespace weft {

template <typename Kernel>
class KernelCache {
 public:
  // The kernel for (rows, cols); `make()` builds it the first time.
  template <typename Make>
  std::shared_ptr<const Kernel> get(int64_t rows, int64_t cols, const Make& make) {
    std::shared_ptr<const Kernel>& kernel = kernels_[{rows, cols}];
    if (!kernel) kernel = std::make_shared<const Kernel>(make());
    return kernel;
  }

 private:
  std::map<std::pair<int64_t, int64_t>, std::shared_ptr<const Kernel>> kernels_;
};

}  // namespace weft
