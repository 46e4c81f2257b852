// SumTree: the order in which the gradients of a step's micro-batches are added, on any number of
// ranks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "program/tiled.h"

namespace weft {

// A binary tree over micro-batches [0, n). A node of several micro-batches is the sum of its first
// 2^k, for the largest 2^k that is less than their number, and of the rest. So every aligned run of
// 2^k micro-batches is a node, and a rank that computes such a run has a single partial sum.
//
//   n = 6:  ((0 + 1) + (2 + 3)) + (4 + 5)
class SumTree {
 public:
  explicit SumTree(int64_t n) : n_(n) {}

  int64_t size() const { return n_; }

  // The fewest nodes that make up the run, in order. They are its partial sums after every addition
  // that needs no other micro-batch.
  std::vector<Range> nodes_of(Range run) const;

  // How many partial sums of the run [begin, i), from the last one on, are added to micro-batch `i`
  // when it extends the run.
  int64_t merges(int64_t begin, int64_t i) const;

  // How to add up `nodes`, which make up the whole tree: each (to, from) in turn adds the sum at
  // index `from` to the one at index `to`. The result is at index 0.
  std::vector<std::pair<size_t, size_t>> additions(const std::vector<Range>& nodes) const;

 private:
  int64_t n_;
};

}  // namespace weft
