// SequentialExecutor: runs the list in order on the calling thread. It defines the bits that every
// other executor must leave.
#pragma once

#include "exec/executor.h"

namespace weft {

class SequentialExecutor : public Executor {
 public:
  static constexpr ExecutorTraits kTraits = {"sequential", Scheduling::kListOrder,
                                             /*is_simulated=*/true};

  explicit SequentialExecutor(int /*threads*/) {}

  std::string name() const override { return kTraits.name; }
  int threads() const override { return 1; }
  std::unique_ptr<PreparedProgram> prepare(const Program& program) const override;
};

}  // namespace weft
