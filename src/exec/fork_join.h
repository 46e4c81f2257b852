// ForkJoinExecutor: a parallel loop over each run of independent ops, and a barrier after it.
#pragma once

#include "exec/executor.h"

namespace weft {

class ForkJoinExecutor : public Executor {
 public:
  static constexpr ExecutorTraits kTraits = {"fork-join", Scheduling::kForkJoin,
                                             /*is_simulated=*/true};

  explicit ForkJoinExecutor(int threads) : threads_(threads) {}

  std::string name() const override { return kTraits.name; }
  int threads() const override { return threads_; }
  std::unique_ptr<PreparedProgram> prepare(const Program& program) const override;

 private:
  int threads_;
};

}  // namespace weft
