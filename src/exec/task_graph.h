// TaskGraph: the dependences of a program's ops, and which ops are ready as others end.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "program/program.h"

namespace weft {

// The graph is computed once; each run counts the pending predecessors of every op down to zero.
class TaskGraph {
 public:
  explicit TaskGraph(const Program& program);

  size_t ops() const { return begins_.size() - 1; }
  const std::vector<uint32_t>& roots() const { return roots_; }  // ops without predecessors

  // Restores all counts. REQUIRES: no run is going on.
  void reset();

  // Marks the op as ended and calls ready(successor) for each op that was waiting for it alone.
  // Thread-safe: the thread that calls ready() sees the writes of all predecessors.
  template <typename Ready>
  void end(size_t op, const Ready& ready) {
    for (size_t i = begins_[op]; i < begins_[op + 1]; ++i) {
      const uint32_t next = successors_[i];
      if (pending_predecessors_[next].fetch_sub(1, std::memory_order_acq_rel) == 1) ready(next);
    }
  }

 private:
  // The successors of op i are successors_[begins_[i]] to successors_[begins_[i + 1] - 1].
  std::vector<size_t> begins_;
  std::vector<uint32_t> successors_;
  std::vector<uint32_t> predecessor_counts_;  // by op
  std::vector<uint32_t> roots_;
  std::unique_ptr<std::atomic<uint32_t>[]> pending_predecessors_;  // by op, in the present run
};

}  // namespace weft
