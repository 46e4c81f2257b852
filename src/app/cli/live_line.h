// LiveLine: the progress of some work, shown at a limited rate.
#pragma once

#include <chrono>

#include "app/cli/terminal.h"

namespace weft {

// Updates the live line of a terminal at most ten times a second; on a pipe, prints a line at most
// every five seconds. REQUIRES: the terminal outlives this.
class LiveLine {
 public:
  explicit LiveLine(Terminal& terminal)
      : terminal_(terminal), next_(Clock::now() + (terminal.is_live() ? kNone : kLineInterval)) {}

  // Shows text() if it is time to.
  template <typename Text>
  void show(Text text) {
    const Clock::time_point now = Clock::now();
    if (now < next_) return;
    next_ = now + (terminal_.is_live() ? kLiveInterval : kLineInterval);
    if (terminal_.is_live()) {
      terminal_.live(text());
    } else {
      terminal_.line(text());
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kNone{0}, kLiveInterval{100}, kLineInterval{5000};

  Terminal& terminal_;
  Clock::time_point next_;
};

}  // namespace weft
