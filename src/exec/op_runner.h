// What all executors share: scratch memory per worker, and what happens when an op throws.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <vector>

#include "base/arena.h"
#include "program/observer.h"
#include "program/program.h"

namespace weft {

// One worker runs one op at a time: REQUIRES that ops never yield to the runtime inside `run`.
class OpRunner {
 public:
  OpRunner(const Program& program, int workers);

  void begin(Observer* observer);

  // Runs op `index` on `worker`, unless an op has already failed. False if the op has not ended:
  // then poll it until it has. Lets no exception out: it could not cross a parallel region.
  // Thread-safe for distinct workers.
  bool run(size_t index, int worker) noexcept;

  // True once the op has ended, or if an op has failed and nobody needs to wait for this one.
  // REQUIRES: one worker at a time polls an op.
  bool poll(size_t index, int worker) noexcept;

  // Runs the op and stays with it until it has ended.
  void run_to_end(size_t index, int worker) noexcept;

  // Rethrows the failure of the earliest op in list order, if any op failed.
  void rethrow_failure();

 private:
  // Calls `work`, whose exceptions become the failure of op `index`; true unless it says false.
  template <typename Work>
  bool guarded(size_t index, const Work& work) noexcept;
  bool ended(size_t index, int worker) noexcept;

  const Program& program_;
  Arena scratch_arena_;
  std::vector<std::byte*> scratch_;  // per worker
  Observer* observer_ = nullptr;

  std::atomic<bool> failed_{false};
  std::mutex failure_mutex_;
  size_t failed_op_ = 0;
  std::exception_ptr failure_;
};

}  // namespace weft
