// Batches: which samples a micro-batch of a step holds, as a pure function of (seed, step,
// micro-batch).
#pragma once

#include <cstdint>

#include "base/view.h"
#include "data/token_source.h"

namespace weft {

// A permutation of [0, n) that needs no memory: a Feistel network keyed by (seed, epoch) with cycle
// walking. Every rank computes the same permutation, and none stores it.
int64_t permuted(int64_t i, int64_t n, uint64_t seed, uint64_t epoch);

struct BatchPlan {
  int64_t B = 1;  // sequences per micro-batch
  int64_t T = 1;
  int64_t micro_batches = 1;  // per optimizer step, of all ranks together
  bool shuffle = true;
  uint64_t seed = 42;
};

// Sequences are numbered through the run: row b of micro-batch k of step s is number
// (s * micro_batches + k) * B + b. Number i is sample permuted(i mod n) of epoch i / n, so every
// sample comes once per epoch, whatever B and micro_batches are. Ranks divide the micro-batches of
// a step among themselves (parallel/workers.h).
class Batches {
 public:
  // Throws Error (kInput) if the source is shorter than one sequence.
  Batches(const TokenSource& source, const BatchPlan& plan);

  // inputs, targets (B * T). step and micro_batch count from 0. REQUIRES: the source outlives this.
  void fill(int64_t step, int64_t micro_batch, Vector<int32_t> inputs,
            Vector<int32_t> targets) const;

  // Optimizer steps in an epoch, rounded up: the last one continues into the next epoch.
  int64_t steps_per_epoch() const;

 private:
  // The sample that is sequence `number` of the run.
  int64_t sample_of(int64_t number) const;

  const TokenSource* source_;
  BatchPlan plan_;
  int64_t samples_;
};

}  // namespace weft
