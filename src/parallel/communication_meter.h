// CommunicationMeter: what a step's transfers sent, and when they were under way.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/intervals.h"
#include "base/now_ns.h"

namespace weft {

// Thread-safe.
class CommunicationMeter {
 public:
  struct Record {
    int64_t bytes_sent = 0;
    std::vector<Interval> transfers;  // of now_ns(), in no order; they may overlap
  };

  // bytes: what this rank sends at least, whatever algorithm the library chooses.
  void sent(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    record_.bytes_sent += bytes;
  }
  // A transfer, named by any address of its own, is under way between these.
  void begins(const void* transfer) {
    const std::lock_guard lock(mutex_);
    begun_[transfer] = now_ns();
  }
  void ends(const void* transfer) {
    const std::lock_guard lock(mutex_);
    record_.transfers.push_back({begun_[transfer], now_ns()});
  }

  // What happened since the last call.
  Record take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(record_, {});
  }

 private:
  std::mutex mutex_;
  Record record_;
  std::map<const void*, int64_t> begun_;
};

}  // namespace weft
