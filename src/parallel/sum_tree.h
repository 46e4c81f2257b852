// SumTree: the one order in which the gradients of a step's micro-batches are added, whoever adds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "program/tiled.h"

namespace weft {

// A binary tree over micro-batches [0, n): a node of more than one is the sum of its first 2^k
// micro-batches, as many as are fewer than all of them, and of the rest. So every aligned run of a
// power of two is a node: ranks that have such a run each have one partial sum.
//
//   n = 6:  ((0 + 1) + (2 + 3)) + (4 + 5)
class SumTree {
 public:
  explicit SumTree(int64_t n) : n_(n) {}

  int64_t size() const { return n_; }

  // The fewest nodes that make up the run, in order: what is left of it once all is added that can
  // be added without the others.
  std::vector<Range> nodes_of(Range run) const;

  // Of the nodes of a run that begins at `begin`, when micro-batch `i` joins: with how many of the
  // sums so far, from the last one on, it is added up.
  int64_t merges(int64_t begin, int64_t i) const;

  // How to add up nodes that make up all of the tree: for each (to, from) in turn, the sum at place
  // `from` is added to the one at place `to`. The result is at place 0.
  std::vector<std::pair<size_t, size_t>> additions(const std::vector<Range>& nodes) const;

 private:
  int64_t n_;
};

}  // namespace weft
