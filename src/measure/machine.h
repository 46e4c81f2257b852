// The machine and the build that a run happens on.
#pragma once

#include <string>

#include "exec/executor.h"
#include "kernels/bf16_backend.h"
#include "model/precision.h"

namespace weft {

std::string cpu_name();

// FLOP/s of a precision that all threads of the executor reach together on registers alone, all at
// once. Takes a fifth of a second. REQUIRES: this CPU has the precision.
double measure_peak_flops(const Executor& executor, Precision precision = Precision::kFp32);

// The same of one bf16 backend. REQUIRES: backend is not kAuto, and cpu_has(backend).
double measure_peak_bf16_flops(const Executor& executor, Bf16Backend backend);

// What multiplies matrices of a precision: a library, or instructions.
std::string gemm_description(Precision precision);

// Version, git commit, compiler and libraries, a line each.
std::string version_text();

// "0.1.0"
std::string version();
std::string git_commit();

}  // namespace weft
