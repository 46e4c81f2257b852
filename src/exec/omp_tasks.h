// The task model as OpenMP has it: one OpenMP task per op, created anew in every run. An op that
// waits for what goes on elsewhere (Op::poll) keeps its thread: OpenMP cannot take it back.
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
