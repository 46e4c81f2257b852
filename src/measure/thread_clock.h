// A clock that stands still while others have the core.
#pragma once

#include <ctime>

namespace weft {

// Seconds that the calling thread has computed: a thread that had to wait for its core, because
// other processes were on it, is not counted as slow.
inline double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace weft
