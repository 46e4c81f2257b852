// LiveLine: how far some work is, shown no more often than anybody reads.
#pragma once

#include <chrono>

#include "app/cli/terminal.h"

namespace weft {

// On a terminal the live line, ten times a second at most; on a pipe a line every five seconds.
// REQUIRES: the terminal outlives this.
class LiveLine {
 public:
  explicit LiveLine(Terminal& terminal)
      : terminal_(terminal), next_(Clock::now() + (terminal.is_live() ? kNone : kLineInterval)) {}

  // Calls text() for what to show, if it is time to.
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
