// ReadyQueue: ops that could run now, and workers that wait for one.
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

// Hands out the op of the least rank first. One lock: an op takes a hundred times as long as what
// happens under it.
class ReadyQueue {
 public:
  // rank: of each op. Lower comes first.
  explicit ReadyQueue(std::vector<uint32_t> ranks) : by_rank_(ranks.size()) {
    for (uint32_t op = 0; op < ranks.size(); ++op) by_rank_[ranks[op]] = op;
    ranks_ = std::move(ranks);
  }

  // All of them at once: their number may wake several workers.
  void push(const std::vector<uint32_t>& ops);

  // The first op that is ready, if there is one.
  std::optional<size_t> pop();

  // The same, but waits until there is one, or until close(), or until interrupted() and wake().
  template <typename Interrupted>
  std::optional<size_t> wait_and_pop(const Interrupted& interrupted) {
    for (int look = 0; look < kLooks && !is_closed(); ++look) {
      if (const std::optional<size_t> op = pop()) return op;
      if (interrupted()) return std::nullopt;
      std::this_thread::yield();
    }
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return !ready_.empty() || is_closed() || interrupted(); });
    return pop_locked();
  }

  // The same, but waits no longer than so; lets another thread run where that is zero.
  std::optional<size_t> pop_within(std::chrono::microseconds time);

  // Those who wait look at what they were to be interrupted by.
  void wake();

  // No op will come any more: nobody waits from here on.
  void close();
  // As it was when it was made. REQUIRES: it is empty, and nobody waits.
  void open() { closed_.store(false, std::memory_order_relaxed); }
  bool is_closed() const { return closed_.load(std::memory_order_acquire); }

 private:
  // Looks at an empty queue before a worker goes to sleep: some tens of microseconds, which is
  // longer than most gaps between ops, and short against waking up a thread for nothing.
  static constexpr int kLooks = 200;

  std::optional<size_t> pop_locked();

  std::vector<uint32_t> ranks_, by_rank_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> ready_;  // ranks
  std::atomic<size_t> size_{0};  // of ready_, so that idle workers leave the lock alone
  std::atomic<bool> closed_{false};
};

}  // namespace weft
