// CommunicationMeter: counts the bytes that a step sends and records when its transfers were under
// way.
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
    std::vector<Interval> transfers;  // in now_ns(); unordered, may overlap
  };

  // bytes: the least that this rank sends, whatever algorithm the MPI library chooses.
  void sent(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    record_.bytes_sent += bytes;
  }

  // Mark the beginning and the end of a transfer. Any address that no other transfer uses meanwhile
  // identifies it.
  void begins(const void* transfer) {
    const std::lock_guard lock(mutex_);
    begun_[transfer] = now_ns();
  }
  void ends(const void* transfer) {
    const std::lock_guard lock(mutex_);
    record_.transfers.push_back({begun_[transfer], now_ns()});
  }

  // Returns what was recorded since the last call.
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
