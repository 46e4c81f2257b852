// DeferredUpdate: says which optimizer step the update ops of the next program apply.
#pragma once

#include <cstdint>
#include <optional>

#include "optim/optimizer.h"

namespace weft {

// Without deferral, the update of step t is due in step t's own programs. With it, the update waits
// for the programs of step t + 1 (clipping needs the norm of all gradients first, and so the update
// overlaps the next forward pass), or for a program of its own where something reads the weights
// before that.
//
// Written between programs, read by their ops.
class DeferredUpdate {
 public:
  // REQUIRES: the optimizer outlives this.
  DeferredUpdate(const Optimizer& optimizer, bool defers)
      : optimizer_(optimizer), defers_(defers) {}

  bool defers() const { return defers_; }

  // Call before the first program of step t = 1, 2, .. With deferral, the update of the step before
  // becomes due, if none of the programs since has applied it.
  void begin_step(int64_t t, double lr);

  // Makes the waiting update due in the program that runs next. Returns false if none waits.
  bool begin_waiting();

  // The step whose update is due; none: update ops leave everything as it is.
  const std::optional<UpdateStep>& due() const { return due_; }

 private:
  const Optimizer& optimizer_;
  bool defers_;
  std::optional<UpdateStep> due_, waiting_;
};

}  // namespace weft
