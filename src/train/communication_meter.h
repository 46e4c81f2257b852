// CommunicationMeter: what a step's transfers sent, and when they were under way.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace weft {

// Thread-safe.
class CommunicationMeter {
 public:
  using Clock = std::chrono::steady_clock;
  struct Span {
    Clock::time_point begin, end;
  };
  struct Record {
    int64_t bytes_sent = 0;
    std::vector<Span> spans;  // in no order; they may overlap
  };

  // bytes: what this rank sends at least, whatever algorithm the library chooses.
  void sent(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    record_.bytes_sent += bytes;
  }
  // A transfer, named by any address of its own, is under way between these.
  void begins(const void* transfer) {
    const std::lock_guard lock(mutex_);
    begun_[transfer] = Clock::now();
  }
  void ends(const void* transfer) {
    const std::lock_guard lock(mutex_);
    record_.spans.push_back({begun_[transfer], Clock::now()});
  }

  // What happened since the last call.
  Record take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(record_, {});
  }

 private:
  std::mutex mutex_;
  Record record_;
  std::map<const void*, Clock::time_point> begun_;
};

}  // namespace weft
