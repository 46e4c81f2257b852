// now_ns: reads this machine's steady clock, which all ranks on one host share.
#pragma once

#include <chrono>
#include <cstdint>

namespace weft {

inline int64_t now_ns() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace weft
