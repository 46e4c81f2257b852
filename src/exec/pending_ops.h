// PendingOps: the ops of a run that have started, occupy no worker and must be polled (Op::poll).
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

#include "exec/op_runner.h"

namespace weft {

// Thread-safe.
class PendingOps {
 public:
  explicit PendingOps(OpRunner& runner) : runner_(runner) {}

  bool any() const { return count_.load(std::memory_order_relaxed) != 0; }

  void add(size_t op) {
    const std::lock_guard lock(mutex_);
    ops_.push_back(op);
    count_.store(ops_.size(), std::memory_order_relaxed);
  }

  // Polls each op once and calls ended(op) for those that have ended. Returns at once if another
  // worker is polling: a poll can cost microseconds, and a second one at the same time gains
  // nothing.
  template <typename Ended>
  void poll(int worker, const Ended& ended) {
    if (!any()) return;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return;
    std::erase_if(ops_, [&](size_t op) {
      const bool done = runner_.poll(op, worker);
      if (done) ended(op);
      return done;
    });
    count_.store(ops_.size(), std::memory_order_relaxed);
  }

 private:
  OpRunner& runner_;
  std::mutex mutex_;
  std::vector<size_t> ops_;
  std::atomic<size_t> count_{0};  // of ops_, so that any() needs no lock
};

}  // namespace weft
