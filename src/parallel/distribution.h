// Distribution: the ops by which the ranks of a run act as one optimizer.
//
//   last micro-step   backward ... [sum of bucket 0] ... backward ... [sum of bucket 1] ... [norm]
//   next step         [update, weights of layer 0] [update, weights of layer 1] forward 0 ...
//
// SumSink decides when a bucket leaves: as soon as its last gradient is written, its sum begins
// (GradientSums). A layer waits for the weights that it reads (WeightUpdates). Where a step has
// fewer tokens than wte has rows, wte's buckets come first, without the lookup's part, which
// follows at the end (TokenRows). UpdateShares says which rank updates which elements, and the
// strategy moves them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "comm/communicator.h"
#include "model/gradient_sink.h"
#include "model/tiling.h"
#include "optim/gradient_norm.h"
#include "optim/parameter_update.h"
#include "parallel/buckets.h"
#include "parallel/gradient_sums.h"
#include "parallel/shared_norm.h"
#include "parallel/strategy.h"
#include "parallel/token_rows.h"
#include "parallel/transfer_ops.h"
#include "parallel/update_shares.h"
#include "parallel/weight_updates.h"
#include "parallel/workers.h"

namespace weft {

class Distribution {
 public:
  struct Parts {
    Arena& arena;
    TileTable& tiles;
    const Tiling& tiling;
    const TiledParameters &weights, &dweights;
    const GradientNorm& norm;
    const ParameterUpdate& update;
    // The lookup's part of dwte after backward: see TokenRows.
    const Tiled<int32_t>& tokens;
    const Tiled<float>& token_rows;
  };

  // REQUIRES: the parts and the communicator outlive this and the programs.
  Distribution(const DistributionSettings& settings, const Workers& workers,
               Communicator& communicator, const Parts& parts);
  Distribution(const Distribution&) = delete;
  Distribution& operator=(const Distribution&) = delete;

  bool overlaps() const { return settings_.overlap; }
  bool is_reproducible() const { return settings_.reproducible; }
  // Whether this rank computes batches.
  bool works() const { return terms_.works(communicator_.rank()); }
  CommunicationMeter& meter() { return transfers_.meter(); }

  // The sink of the last micro-step's backward: begins sums as their gradients are complete.
  std::unique_ptr<GradientSink> sink(Program& program);
  // Whether a micro-step's backward leaves the rows of its tokens to this.
  bool takes_token_rows(bool last) const { return token_rows_ && (last || is_reproducible()); }
  // Appends all sums but the end of the last one, for a program without a backward pass.
  void append_sums(Program& program);

  // Appends the end of the last sum, and the norm of the summed gradients.
  void append_norm(Program& program);

  // Program to run after micro-step k of this rank, which is not its last: folds the gradients into
  // a running sum. Null if gradients accumulate in place.
  const Program* accumulation(int64_t micro_step) const { return sums_->accumulation(micro_step); }

  // The updates of the weights that `layer` is the first to read, and the waits for those that
  // other ranks update.
  using FirstReader = WeightUpdates::FirstReader;
  void append_updates(Program& program, int64_t layer, const FirstReader& first_reader) {
    updates_.append_updates(program, layer, first_reader);
  }
  void append_arrivals(Program& program, int64_t layer, const FirstReader& first_reader) {
    updates_.append_arrivals(program, layer, first_reader);
  }

  // Which ranks keep the optimizer's state for which elements.
  const UpdateShares& shares() const { return shares_; }

 private:
  class SumSink;

  bool lacks_token_rows(size_t bucket) const;
  void append_sum_start(Program& program, size_t bucket);
  void append_sum_finish(Program& program, size_t bucket);
  void append_token_rows_start(Program& program);
  void append_token_rows_finish(Program& program);

  DistributionSettings settings_;
  Communicator& communicator_;
  Parts parts_;
  Workers
      terms_;  // of a sum: with `reproducible` each micro-batch is a term, else each rank is one
  std::optional<TokenRows> token_rows_;  // where they are sent apart
  Buckets buckets_;
  std::unique_ptr<Strategy> strategy_;
  UpdateShares shares_;
  TransferOps transfers_;
  std::unique_ptr<GradientSums> sums_;
  SharedNorm norm_;
  WeightUpdates updates_;
};

}  // namespace weft
