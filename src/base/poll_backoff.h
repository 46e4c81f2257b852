// Patience: how to wait for what has to be asked for again and again.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace weft {

// Naps between two questions, of an eighth of the time waited so far: so an answer is late by an
// eighth at most, one that comes soon is not late at all, and a long wait leaves the core to
// others.
class Patience {
 public:
  // How long to sleep now; zero while that would be too short to be worth it.
  std::chrono::microseconds nap() {
    const Clock::time_point now = Clock::now();
    if (!waits_) since_ = now;
    waits_ = true;
    const auto share = std::chrono::duration_cast<std::chrono::microseconds>(now - since_) / 8;
    return share < kShortest ? std::chrono::microseconds(0) : std::min(share, kLongest);
  }

  // Sleeps so long, or lets another thread run.
  void wait() {
    const std::chrono::microseconds time = nap();
    if (time.count() == 0) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(time);
    }
  }

  // The answer has come; the next wait is a new one.
  void reset() { waits_ = false; }

 private:
  using Clock = std::chrono::steady_clock;
  // A kernel's timers are late by as much as the shortest. The longest is what a link of 10 Gbit/s
  // needs for the 250 KB that its socket buffers hold at least.
  static constexpr std::chrono::microseconds kShortest{50}, kLongest{200};

  bool waits_ = false;
  Clock::time_point since_;  // if it waits
};

}  // namespace weft
