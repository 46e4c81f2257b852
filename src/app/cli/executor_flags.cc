#include "app/cli/executor_flags.h"

namespace weft {
namespace {

constexpr int64_t kMostThreads = 4096;

}  // namespace

void add_threads_flag(Options& flags, int64_t& threads) {
  flags.integer("--threads", threads, {1, kMostThreads}, "Threads; the CPUs in the affinity mask");
}

void add_executor_flags(Options& flags, ExecutorSettings& settings) {
  flags.choice("--exec", settings.name, executor_names(), "Execution model");
  add_threads_flag(flags, settings.threads);
}

}  // namespace weft
