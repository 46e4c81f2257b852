// Observer: is told when each op of a program starts and ends, and on which worker.
#pragma once

#include <cstddef>

namespace weft {

// Called by executors from the worker that runs the op: implementations must be thread-safe across
// workers, and cheap. `op` is the index in the program's list. An op that waits (Op::poll) occupies
// no worker between the two calls, and the worker that sees its end may be another one.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void op_started(size_t op, int worker) noexcept = 0;
  virtual void op_ended(size_t op, int worker) noexcept = 0;
};

}  // namespace weft
