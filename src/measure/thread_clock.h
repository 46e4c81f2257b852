// A clock that stands still while the thread does not run.
#pragma once

#include <ctime>

namespace weft {

// Returns the seconds that the calling thread has computed. The time during which other processes
// had its core does not count.
inline double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace weft
