// TasksExecutor: an op starts on the first free worker once the ops that it depends on have ended.
// The graph of a program is the same in every run, so it is computed once and replayed.
#pragma once

#include "exec/executor.h"

namespace weft {

class TasksExecutor : public Executor {
 public:
  static constexpr ExecutorTraits kTraits = {"tasks", Scheduling::kDataflow, /*is_simulated=*/true};

  explicit TasksExecutor(int threads) : threads_(threads) {}

  std::string name() const override { return kTraits.name; }
  int threads() const override { return threads_; }
  std::unique_ptr<PreparedProgram> prepare(const Program& program) const override;

 private:
  int threads_;
};

}  // namespace weft
