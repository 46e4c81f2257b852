// wait_for: waits for what another thread does, without hanging when it never does.
#pragma once

#include <chrono>
#include <thread>

namespace weft {

// Spins until the condition holds; false if it does not within 10 s.
template <typename Condition>
bool wait_for(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace weft
