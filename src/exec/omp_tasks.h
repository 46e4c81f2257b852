// OmpTasksExecutor: one OpenMP task per op, created anew in every run. An op that is polled
// (Op::poll) occupies its thread until it has ended, because OpenMP cannot suspend the task.
#pragma once

#include "exec/executor.h"

namespace weft {

class OmpTasksExecutor : public Executor {
 public:
  static constexpr ExecutorTraits kTraits = {"omp-tasks", Scheduling::kDataflow,
                                             /*is_simulated=*/false};

  explicit OmpTasksExecutor(int threads) : threads_(threads) {}

  std::string name() const override { return kTraits.name; }
  int threads() const override { return threads_; }
  std::unique_ptr<PreparedProgram> prepare(const Program& program) const override;

 private:
  int threads_;
};

}  // namespace weft
