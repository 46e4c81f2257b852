// Observer: receives a call when an op of a program starts or ends, with the worker that ran it.
#pragma once

#include <cstddef>

namespace weft {

// Executors call it on the worker that runs the op, so implementations must be cheap, and
// thread-safe across workers. `op` is the index in the program's list. An op with a poll (Op::poll)
// occupies no worker between the two calls, and another worker may see its end.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void op_started(size_t op, int worker) noexcept = 0;
  virtual void op_ended(size_t op, int worker) noexcept = 0;
};

}  // namespace weft
