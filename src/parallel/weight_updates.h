// WeightUpdates: the ops by which each rank updates its part of the weights and sends it to the
// other ranks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "comm/communicator.h"
#include "model/tiled_parameters.h"
#include "optim/parameter_update.h"
#include "parallel/buckets.h"
#include "parallel/strategy.h"
#include "parallel/transfer_ops.h"
#include "parallel/update_shares.h"
#include "program/program.h"

namespace weft {

class WeightUpdates {
 public:
  // REQUIRES: all of it outlives the updates.
  struct Parts {
    Communicator& communicator;
    TransferOps& transfers;
    Strategy& strategy;
    const Buckets& buckets;
    const UpdateShares& shares;
    const TiledParameters &weights, &dweights;
    const ParameterUpdate& update;
  };
  explicit WeightUpdates(const Parts& parts)
      : parts_(parts), pending_(parts.buckets.all().size()) {}

  // Returns the first layer that reads a parameter, given by its index.
  using FirstReader = std::function<int64_t(size_t parameter)>;

  // For the buckets that `layer` is the first to read: appends this rank's updates, and begins to
  // send the updated weights.
  void append_updates(Program& program, int64_t layer, const FirstReader& first_reader);
  // Appends the waits for the updated weights that `layer` reads.
  void append_arrivals(Program& program, int64_t layer, const FirstReader& first_reader);

 private:
  int64_t reader_of(size_t bucket, const FirstReader& first_reader) const;
  void append_update(Program& program, Range units) const;
  void append_send(Program& program, size_t bucket);

  Parts parts_;
  std::vector<PendingTransfers> pending_;  // by bucket
};

}  // namespace weft
