// TaskGraph: which ops of a program are ready to run, as others end.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "program/program.h"

namespace weft {

// The dependences of a program, computed once; a run counts them down.
class TaskGraph {
 public:
  explicit TaskGraph(const Program& program);

  size_t ops() const { return begins_.size() - 1; }
  const std::vector<uint32_t>& roots() const { return roots_; }  // ready from the beginning

  // Before a run: all counts as they were.
  void reset();

  // Calls ready(op) for each op that waited for this one alone. Thread-safe: the thread that makes
  // an op ready sees everything that the ops it waited for have written.
  template <typename Ready>
  void end(size_t op, const Ready& ready) {
    for (size_t i = begins_[op]; i < begins_[op + 1]; ++i) {
      const uint32_t next = successors_[i];
      if (missing_[next].fetch_sub(1, std::memory_order_acq_rel) == 1) ready(next);
    }
  }

 private:
  // The successors of op i are successors_[begins_[i]] up to successors_[begins_[i + 1]].
  std::vector<size_t> begins_;
  std::vector<uint32_t> successors_;
  std::vector<uint32_t> dependences_;  // of each op: how many
  std::vector<uint32_t> roots_;
  std::unique_ptr<std::atomic<uint32_t>[]> missing_;  // in this run, still
};

}  // namespace weft
