// --exec and --threads, as every command that computes has them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/cli/options.h"
#include "exec/executor.h"

namespace weft {

struct ExecutorOptions {
  std::string exec = "tasks";
  int64_t threads = 0;  // 0: the CPUs in the affinity mask
};

// --threads alone, for commands that have one way to compute. REQUIRES: threads outlives the flags.
void add_threads_flag(Options& flags, int64_t& threads);

// REQUIRES: the options outlive the flags.
void add_executor_flags(Options& flags, ExecutorOptions& options);

std::unique_ptr<Executor> make_executor(const ExecutorOptions& options);

}  // namespace weft
