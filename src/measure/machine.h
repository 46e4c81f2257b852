// The machine and the build that a run happens on.
#pragma once

#include <string>

#include "exec/executor.h"
#include "kernels/bf16_backend.h"
#include "model/precision.h"

namespace weft {

std::string cpu_name();

// Measures the FLOP/s that all threads of the executor reach together, at the same time, with
// arithmetic on registers alone. Takes a fifth of a second. REQUIRES: this CPU has the precision.
double measure_peak_flops(const Executor& executor, Precision precision = Precision::kFp32);

// Measures the FLOP/s of one bf16 backend in the same way. REQUIRES: backend is not kAuto, and
// cpu_has(backend).
double measure_peak_bf16_flops(const Executor& executor, Bf16Backend backend);

// Returns the library or the instructions that multiply matrices of a precision.
std::string gemm_description(Precision precision);

// Returns the version, git commit, compiler and libraries, one a line.
std::string version_text();

// "0.1.0"
std::string version();
std::string git_commit();

}  // namespace weft
