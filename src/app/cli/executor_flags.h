// --exec and --threads, as every command that computes has them.
#pragma once

#include <cstdint>

#include "app/cli/options.h"
#include "exec/executor.h"

namespace weft {

// Adds --threads alone, for commands that always use the same executor. REQUIRES: threads outlives
// the flags.
void add_threads_flag(Options& flags, int64_t& threads);

// REQUIRES: the settings outlive the flags.
void add_executor_flags(Options& flags, ExecutorSettings& settings);

}  // namespace weft
