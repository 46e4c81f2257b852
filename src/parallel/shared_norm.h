// SharedNorm: the gradient norm where each rank has the sums of the units that it updates.
#pragma once

#include <cstddef>

#include "base/arena.h"
#include "comm/communicator.h"
#include "model/tiled_parameters.h"
#include "optim/gradient_norm.h"
#include "parallel/buckets.h"
#include "parallel/transfer_ops.h"
#include "parallel/update_shares.h"
#include "program/program.h"

namespace weft {

// Every unit has a partial sum of squares of its own, and all ranks add the partial sums in the
// same order: the norm does not depend on the number of ranks.
class SharedNorm {
 public:
  // REQUIRES: all of it outlives the norm.
  struct Parts {
    Communicator& communicator;
    TransferOps& transfers;
    const Buckets& buckets;
    const UpdateShares& shares;
    const TiledParameters& dweights;
    const GradientNorm& norm;
  };
  SharedNorm(Arena& arena, TileTable& tiles, const Parts& parts);

  // Appends the ops that compute the partial sums of this rank's units of a bucket.
  void append_partials(Program& program, size_t bucket) const;

  // After the partial sums of all buckets: makes them known to all ranks, and appends the norm.
  void append_norm(Program& program);

 private:
  void append_exchange(Program& program);

  Parts parts_;
  Tiled<double> partials_;  // (1, units)
  PendingTransfers pending_;
};

}  // namespace weft
