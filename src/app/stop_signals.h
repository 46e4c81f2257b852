// StopSignals: SIGTERM and SIGINT as a request, so that a run can save before it ends.
#pragma once

#include <signal.h>

#include <atomic>

namespace weft {

// Thrown out of work that the user stops and of which nothing is to be kept.
struct Stopped {
  int signal;

  int exit_status() const { return 128 + signal; }
};

// While it exists, the first SIGTERM or SIGINT is noted and a second one ends the process at once
// with 128 + its number. SIGPIPE is ignored: a reader of the progress who leaves must not end the
// run. One at a time.
class StopSignals {
 public:
  // notice: what the first signal tells the user. It outlives this, as a literal does.
  explicit StopSignals(const char* notice);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The number of the signal that came, or 0.
  const std::atomic<int>& requested() const;

  // Throws Stopped if a signal came.
  void check() const;

 private:
  struct sigaction old_term_, old_int_, old_pipe_;
};

}  // namespace weft
