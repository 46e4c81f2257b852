// wait_for: waits for another thread's action, without hanging if it never comes.
#pragma once

#include <chrono>
#include <thread>

namespace weft {

// Spins until the condition holds. Returns false if it does not hold within a minute.
template <typename Condition>
bool wait_for(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace weft
