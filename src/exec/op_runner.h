// OpRunner: what all executors share, scratch memory per worker and the handling of errors.
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

// REQUIRES: a worker runs one op at a time, so ops never yield to the runtime inside `run`.
class OpRunner {
 public:
  OpRunner(const Program& program, int workers);

  void begin(Observer* observer);

  // Runs op `index` on `worker`, unless an op has already failed. Returns false if the op has not
  // ended and must be polled. Exceptions are kept for rethrow_failure(), because none may leave a
  // parallel region. Thread-safe for distinct workers.
  bool run(size_t index, int worker) noexcept;

  // Polls op `index`. Returns true if it has ended, or if an op has failed and this one is
  // abandoned. REQUIRES: one worker at a time polls an op.
  bool poll(size_t index, int worker) noexcept;

  // Runs the op and polls it until it has ended.
  void run_to_end(size_t index, int worker) noexcept;

  // Rethrows the error of the earliest failed op in list order, if any op failed.
  void rethrow_failure();

 private:
  // Returns work(). If it throws, keeps the error as the failure of op `index` and returns true.
  template <typename Work>
  bool guarded(size_t index, const Work& work) noexcept;
  bool report_end(size_t index, int worker) noexcept;

  const Program& program_;
  Arena scratch_arena_;
  std::vector<std::byte*> scratch_;  // by worker
  Observer* observer_ = nullptr;

  std::atomic<bool> failed_{false};
  std::mutex failure_mutex_;
  size_t failed_op_ = 0;
  std::exception_ptr failure_;
};

}  // namespace weft
