#include "exec/ready_queue.h"

namespace weft {

void ReadyQueue::push(const std::vector<uint32_t>& ops) {
  if (ops.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (uint32_t op : ops) ready_.push(priorities_[op]);
    size_.store(ready_.size(), std::memory_order_relaxed);
  }
  if (ops.size() == 1) {
    filled_.notify_one();
  } else {
    filled_.notify_all();
  }
}

std::optional<size_t> ReadyQueue::pop() {
  if (size_.load(std::memory_order_relaxed) == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return pop_locked();
}

std::optional<size_t> ReadyQueue::pop_within(std::chrono::microseconds timeout) {
  if (timeout.count() == 0) {
    std::this_thread::yield();
    return std::nullopt;
  }
  std::unique_lock lock(mutex_);
  filled_.wait_for(lock, timeout, [&] { return !ready_.empty() || is_closed(); });
  return pop_locked();
}

void ReadyQueue::wake() {
  // Taking the lock keeps a worker from missing the wake-up between its check and its sleep.
  { const std::lock_guard lock(mutex_); }
  filled_.notify_all();
}

void ReadyQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_.store(true, std::memory_order_release);
  }
  filled_.notify_all();
}

std::optional<size_t> ReadyQueue::pop_locked() {
  if (ready_.empty()) return std::nullopt;
  const size_t op = op_by_priority_[ready_.top()];
  ready_.pop();
  size_.store(ready_.size(), std::memory_order_relaxed);
  return op;
}

}  // namespace weft
