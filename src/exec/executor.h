// Executor: runs programs. Several models of parallelism implement it. All of them keep the list
// order of conflicting ops, so all of them leave the same bits behind.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "program/observer.h"
#include "program/program.h"

namespace weft {

// A program that an executor has analysed once, to be run many times.
class PreparedProgram {
 public:
  virtual ~PreparedProgram() = default;

  // Returns when every op has ended. If an op throws, ops that have not started are skipped, ops
  // that are being polled (Op::poll) are abandoned, because what they wait for may never come, and
  // the error of the earliest failed op in list order is rethrown after every running op has
  // returned. The observer may be null. Not reentrant.
  virtual void run(Observer* observer = nullptr) = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;

  virtual std::string name() const = 0;  // as in `--exec`
  virtual int threads() const = 0;

  // REQUIRES: the program outlives the result and no longer changes.
  virtual std::unique_ptr<PreparedProgram> prepare(const Program& program) const = 0;
};

// When an executor starts an op. The simulator plays each of these models.
enum class Scheduling {
  kListOrder,  // one op after the other, on the calling thread
  kForkJoin,   // a parallel loop over each run of independent ops, a barrier after it
  kDataflow,   // an op starts when the ops that it depends on have ended
};

// Facts about an executor that commands and the simulator need.
struct ExecutorTraits {
  const char* name;  // as in `--exec`
  Scheduling scheduling;
  bool is_simulated;  // `weft bench tasks --costs` measures it and `weft simulate` offers it

  bool is_parallel() const { return scheduling != Scheduling::kListOrder; }
};

// All executors, the reference first: sequential, fork-join, tasks, and omp-tasks, which is tasks
// on OpenMP's own tasks, for comparison. The table in executor.cc lists them.
std::span<const ExecutorTraits> executors();
std::vector<std::string> executor_names();
std::vector<std::string> simulated_executor_names();

// REQUIRES: `name` is in the table.
const ExecutorTraits& executor_traits(const std::string& name);

// Throws Error (kInput) for a name that is not in the table, or threads < 1.
std::unique_ptr<Executor> make_executor(const std::string& name, int threads);

// Which executor, on how many threads.
struct ExecutorSettings {
  std::string name = "tasks";
  int64_t threads = 0;  // 0: available_cpus()
};
std::unique_ptr<Executor> make_executor(const ExecutorSettings& settings);

// Number of CPUs in this process's affinity mask: the default number of threads.
int available_cpus();

// The OpenMP runtime that is loaded: "libgomp" or "libomp".
std::string openmp_runtime();

}  // namespace weft
