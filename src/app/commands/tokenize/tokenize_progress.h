// TokenizeProgress: shows on standard error how much of the text has been read.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "app/cli/live_line.h"
#include "app/cli/terminal.h"

namespace weft {

class TokenizeProgress {
 public:
  TokenizeProgress(Terminal& terminal, uintmax_t total_bytes)
      : terminal_(terminal), total_(total_bytes) {}

  void reached(uintmax_t bytes);
  // Prints a line with the size and the rate, which stays.
  void finish(uintmax_t bytes);

 private:
  using Clock = std::chrono::steady_clock;

  double elapsed_s() const;

  Terminal& terminal_;
  LiveLine live_{terminal_};
  uintmax_t total_;
  Clock::time_point start_ = Clock::now();
};

// "45.2 MB of 100 MB  12.3 MB/s  eta 0:05". REQUIRES: elapsed_s > 0.
std::string tokenize_line(uintmax_t bytes, uintmax_t total, double elapsed_s);

}  // namespace weft
