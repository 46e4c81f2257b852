// StopSignals: SIGTERM, SIGINT and SIGUSR1 as a request, so that a run can save before it ends.
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
// with 128 + its number. SIGUSR1, with which a batch system announces the end of a job, is a
// SIGTERM that may come as often as it likes. SIGPIPE is ignored: a reader of the progress who
// leaves must not end the run. One at a time.
class StopSignals {
 public:
  // notice: what the first signal tells the user; "" for a rank that says nothing. It outlives
  // this, as a literal does.
  explicit StopSignals(const char* notice);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The number of the signal that came, or 0.
  const std::atomic<int>& requested() const;

  // Throws Stopped if a signal came.
  void check() const;

 private:
  struct sigaction old_term_, old_int_, old_usr1_, old_pipe_;
};

}  // namespace weft
