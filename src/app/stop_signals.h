// StopSignals: SIGTERM and SIGINT as a request, so that a run can save before it ends.
#pragma once

#include <signal.h>

#include <atomic>

namespace weft {

// While it exists, the first SIGTERM or SIGINT is noted and a second one ends the process at once
// with 128 + its number. SIGPIPE is ignored: a reader of the progress who leaves must not end the
// run. One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The number of the signal that came, or 0.
  const std::atomic<int>& requested() const;

 private:
  struct sigaction old_term_, old_int_, old_pipe_;
};

}  // namespace weft
