#include "exec/executor.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <omp.h>

#include <string_view>

#include "base/error.h"
#include "exec/fork_join.h"
#include "exec/omp_tasks.h"
#include "exec/sequential.h"
#include "exec/tasks.h"

namespace weft {

std::unique_ptr<Executor> make_executor(const std::string& name, int threads) {
  if (threads < 1) throw input_error("exec", fmt::format("--threads {} is not positive", threads));
  if (name == "sequential") return std::make_unique<SequentialExecutor>();
  if (name == "fork-join") return std::make_unique<ForkJoinExecutor>(threads);
  if (name == "tasks") return std::make_unique<TasksExecutor>(threads);
  if (name == "omp-tasks") return std::make_unique<OmpTasksExecutor>(threads);
  throw input_error("exec", fmt::format("unknown executor '{}'", name),
                    "use sequential, fork-join, tasks or omp-tasks");
}

// Not the mask of the calling thread: OMP_PROC_BIND and OMP_PLACES make OpenMP bind the first
// thread to a part of what the process may use, before main begins.
int available_cpus() { return omp_get_num_procs(); }

std::string openmp_runtime() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&omp_in_parallel), &info) == 0) return "unknown";
  return std::string_view(info.dli_fname).find("libgomp") != std::string_view::npos ? "libgomp"
                                                                                    : "libomp";
}

}  // namespace weft
