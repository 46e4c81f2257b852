// The task model: one OpenMP task per op, ordered by nothing but the tiles that it touches.
#pragma once

#include "exec/executor.h"

namespace weft {

class TasksExecutor : public Executor {
 public:
  explicit TasksExecutor(int threads) : threads_(threads) {}

  std::string name() const override { return "tasks"; }
  int threads() const override { return threads_; }
  std::unique_ptr<PreparedProgram> prepare(const Program& program) const override;

 private:
  int threads_;
};

}  // namespace weft
