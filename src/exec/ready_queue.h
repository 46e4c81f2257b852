// ReadyQueue: the ops that can run now, and the workers that wait for one.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>
#include <vector>

namespace weft {

// Hands out ops in the order of their priorities. One lock guards the queue, which is enough: an
// op runs a hundred times as long as a worker holds the lock. Thread-safe.
class ReadyQueue {
 public:
  // priorities: by op, a permutation of 0, 1, ..; the op with the lowest number comes first.
  explicit ReadyQueue(std::vector<uint32_t> priorities) : op_by_priority_(priorities.size()) {
    for (uint32_t op = 0; op < priorities.size(); ++op) op_by_priority_[priorities[op]] = op;
    priorities_ = std::move(priorities);
  }

  // Adds all of the ops at once and wakes as many workers as can have one.
  void push(const std::vector<uint32_t>& ops);

  // Takes the first ready op, if there is one.
  std::optional<size_t> pop();

  // Like pop(), but blocks until an op is ready, close() is called, or interrupted() is true. A
  // thread that makes interrupted() true must call wake() afterwards.
  template <typename Interrupted>
  std::optional<size_t> wait_and_pop(const Interrupted& interrupted) {
    for (int spin = 0; spin < kSpins && !is_closed(); ++spin) {
      if (const std::optional<size_t> op = pop()) return op;
      if (interrupted()) return std::nullopt;
      std::this_thread::yield();
    }
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return !ready_.empty() || is_closed() || interrupted(); });
    return pop_locked();
  }

  // Like wait_and_pop, with a timeout; zero yields the CPU.
  std::optional<size_t> pop_within(std::chrono::microseconds timeout);

  // Wakes all waiters so that they re-check interrupted().
  void wake();

  // No op will become ready any more: wakes all waiters, and later calls do not block.
  void close();
  // Undoes close(). REQUIRES: the queue is empty and no thread waits.
  void open() { closed_.store(false, std::memory_order_relaxed); }
  bool is_closed() const { return closed_.load(std::memory_order_acquire); }

 private:
  // How often a worker polls an empty queue before it sleeps: some tens of microseconds, longer
  // than most gaps between ops and short compared with a needless sleep and wake-up.
  static constexpr int kSpins = 200;

  std::optional<size_t> pop_locked();

  std::vector<uint32_t> priorities_, op_by_priority_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> ready_;  // priorities
  std::atomic<size_t> size_{0};  // of ready_, so that idle workers need not take the lock
  std::atomic<bool> closed_{false};
};

}  // namespace weft
