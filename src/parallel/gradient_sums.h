// GradientSums: the ops that sum the gradients of all ranks, bucket by bucket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "comm/communicator.h"
#include "model/tiled_parameters.h"
#include "parallel/buckets.h"
#include "parallel/strategy.h"
#include "parallel/transfer_ops.h"
#include "parallel/update_shares.h"
#include "parallel/workers.h"
#include "program/program.h"

namespace weft {

class GradientSums {
 public:
  // REQUIRES: all of it outlives the sums.
  struct Parts {
    Communicator& communicator;
    TransferOps& transfers;
    Strategy& strategy;
    const Buckets& buckets;
    const UpdateShares& shares;
    const TiledParameters& dweights;
    const Workers& workers;
  };
  virtual ~GradientSums() = default;

  // Appends the ops that begin the sum of a bucket, whose gradients the ops before have completed,
  // and those that complete it. Afterwards every rank has in dweights the sums of the units that it
  // updates. At most four buckets may be between their start and their finish.
  virtual void append_start(Program& program, size_t bucket) = 0;
  virtual void append_finish(Program& program, size_t bucket) = 0;

  // Program to run after micro-step k of this rank, which is not its last: folds the gradients into
  // a running sum. Null if gradients accumulate in place.
  virtual const Program* accumulation(int64_t /*micro_step*/) const { return nullptr; }
};

// Sums in the MPI library's order of addition. REQUIRES: StrategyTraits::library_sums.
std::unique_ptr<GradientSums> make_library_sums(const GradientSums::Parts& parts);

}  // namespace weft
