// StopSignals: SIGTERM, SIGINT and SIGUSR1 as a request, so that a run can save before it ends.
#pragma once

#include <signal.h>

#include <atomic>

namespace weft {

// Thrown out of work that the user has stopped and that leaves no result.
struct Stopped {
  int signal;

  int exit_status() const { return 128 + signal; }
};

// While it exists, the first SIGTERM or SIGINT is recorded, and a second one ends the process at
// once with status 128 + its number. SIGUSR1, with which a batch system announces the end of a job,
// is recorded like SIGTERM but never ends the process. SIGPIPE is ignored, so that a closed reader
// of the progress does not end the run. Only one object may exist at a time.
class StopSignals {
 public:
  // notice: printed at the first signal; "" on ranks that print nothing. REQUIRES: it outlives
  // this, as a literal does.
  explicit StopSignals(const char* notice);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Returns the number of the recorded signal, or 0.
  const std::atomic<int>& requested() const;

  // Throws Stopped if a signal has been recorded.
  void check() const;

 private:
  struct sigaction old_term_, old_int_, old_usr1_, old_pipe_;
};

}  // namespace weft
