// Executor: runs programs. Several models of parallelism implement it, and all of them keep the
// list order of ops that conflict, so all of them leave the same bits behind.
#pragma once

#include <memory>
#include <string>

#include "program/observer.h"
#include "program/program.h"

namespace weft {

// A program analysed once by an executor and run many times.
class PreparedProgram {
 public:
  virtual ~PreparedProgram() = default;

  // Returns when every op has run. If an op throws, ops that have not started are skipped, and the
  // error of the earliest op in the list that failed is rethrown after every started op has ended.
  // Ops that only wait (Op::poll) are then given up: what they wait for may never come.
  // The observer may be null. Not reentrant.
  virtual void run(Observer* observer = nullptr) = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;

  virtual std::string name() const = 0;  // as in `--exec`
  virtual int threads() const = 0;

  // REQUIRES: the program outlives the result and changes no more.
  virtual std::unique_ptr<PreparedProgram> prepare(const Program& program) const = 0;
};

// `--exec`'s names: sequential (the list in order: the reference), fork-join (a parallel loop over
// each run of independent ops, a barrier after it), tasks (dataflow: an op starts the moment the
// tiles that it needs are ready), omp-tasks (the same with OpenMP's tasks, for comparison).
// Throws Error (kInput) for another name or threads < 1.
std::unique_ptr<Executor> make_executor(const std::string& name, int threads);

// The CPUs in this process's affinity mask: the default number of threads.
int available_cpus();

// The OpenMP runtime that is really loaded: "libgomp" or "libomp".
std::string openmp_runtime();

}  // namespace weft
