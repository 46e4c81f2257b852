#include "app/cli/executor_flags.h"

namespace weft {
namespace {

constexpr int64_t kMostThreads = 4096;

}  // namespace

void add_threads_flag(Options& flags, int64_t& threads) {
  flags.integer("--threads", threads, {1, kMostThreads}, "Threads; the CPUs in the affinity mask");
}

void add_executor_flags(Options& flags, ExecutorOptions& options) {
  flags.choice("--exec", options.exec, executor_names(), "Execution model");
  add_threads_flag(flags, options.threads);
}

std::unique_ptr<Executor> make_executor(const ExecutorOptions& options) {
  const int threads = options.threads > 0 ? static_cast<int>(options.threads) : available_cpus();
  return make_executor(options.exec, threads);
}

}  // namespace weft
