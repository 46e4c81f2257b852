// PollBackoff: back-off for polling loops.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace weft {

// Sleeps between two polls for an eighth of the time waited so far. So a result is seen at most an
// eighth late, an early one at once, and a long wait leaves the core to other threads.
class PollBackoff {
 public:
  // How long to sleep before the next poll; zero while a sleep that short is not worth it.
  std::chrono::microseconds nap() {
    const Clock::time_point now = Clock::now();
    if (!is_waiting_) began_ = now;
    is_waiting_ = true;
    const auto share = std::chrono::duration_cast<std::chrono::microseconds>(now - began_) / 8;
    return share < kShortest ? std::chrono::microseconds(0) : std::min(share, kLongest);
  }

  // Sleeps for nap(), or yields the CPU where that is zero.
  void wait() {
    const std::chrono::microseconds time = nap();
    if (time.count() == 0) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(time);
    }
  }

  // The result has come: the next nap() begins a new wait.
  void reset() { is_waiting_ = false; }

 private:
  using Clock = std::chrono::steady_clock;
  // The kernel's timers fire late by about kShortest. In kLongest, a link of 10 Gbit/s moves the
  // 250 KB that its socket buffers hold at least.
  static constexpr std::chrono::microseconds kShortest{50}, kLongest{200};

  bool is_waiting_ = false;
  Clock::time_point began_;  // of the present wait, if there is one
};

}  // namespace weft
