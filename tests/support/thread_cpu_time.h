// thread_cpu_seconds: the CPU time of the calling thread. It does not grow while other processes
// have the core.
#pragma once

#include <time.h>

namespace weft {

inline double thread_cpu_seconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace weft
