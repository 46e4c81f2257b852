// The machine and the build that a run happens on.
#pragma once

#include <string>

#include "exec/executor.h"
#include "kernels/bf16_backend.h"

namespace weft {

std::string cpu_name();

// fp32 FLOP/s that all threads of the executor reach together on registers alone, all at once.
// Takes a fifth of a second.
double measure_peak_flops(const Executor& executor);

// The same for bf16. REQUIRES: backend is not kAuto, and cpu_has(backend).
double measure_peak_bf16_flops(const Executor& executor, Bf16Backend backend);

// Version, git commit, compiler and libraries, a line each.
std::string version_text();

// "0.1.0"
std::string version();
std::string git_commit();

}  // namespace weft
