// TreeSums: gradient sums that ranks exchange and add up themselves, in the order of a SumTree.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "base/arena.h"
#include "model/tiling.h"
#include "parallel/gradient_sums.h"
#include "parallel/sum_tree.h"

namespace weft {

// The terms of a sum are those of `workers`: gradients of one micro-batch each, or of one rank each
// where micro-batches accumulate in place. A rank first adds up its own terms as far as the tree
// allows (accumulation(), and the first ops of append_start). It sends each rank that rank's share
// of these partial sums, and adds up those of all ranks for its own share. Where every rank
// updates, the shares of the result are then spread to all ranks.
class TreeSums : public GradientSums {
 public:
  // append_token_rows, if any, begins the accumulation of a micro-batch.
  using AppendTokenRows = std::function<void(Program& program, int64_t micro_batch)>;
  TreeSums(Arena& arena, TileTable& tiles, const Tiling& tiling, const Parts& parts,
           const AppendTokenRows& append_token_rows);

  void append_start(Program& program, size_t bucket) override;
  void append_finish(Program& program, size_t bucket) override;
  const Program* accumulation(int64_t micro_step) const override;

 private:
  // Buckets that may be between their start and their finish.
  static constexpr size_t kReceiveBuffers = 4;

  const Tiled<float>& received(size_t bucket) const { return received_[bucket % kReceiveBuffers]; }
  Range my_micro_batches() const;
  void build_accumulations(Arena& arena, TileTable& tiles, const Tiling& tiling,
                           const AppendTokenRows& append_token_rows);
  void append_accumulation(Program& program, int64_t micro_batch) const;
  void append_merges(Program& program, size_t bucket) const;
  void begin_exchange(size_t bucket, PendingTransfers& pending) const;
  void append_additions(Program& program, size_t bucket) const;
  void append_spread(Program& program, size_t bucket);

  Parts parts_;
  SumTree tree_;
  std::vector<std::vector<Range>> nodes_;  // of the tree, by rank: its partial sums
  size_t rounds_ = 0;                      // the most partial sums that a rank has

  // The partial sums of this rank but the last, which is in dweights.
  std::vector<TiledParameters> partial_sums_;
  std::array<Tiled<float>, kReceiveBuffers> received_;  // (partial sums of all ranks, share)
  std::vector<std::unique_ptr<Program>> accumulations_;

  std::vector<PendingTransfers> pending_sums_, pending_spreads_;  // by bucket
};

}  // namespace weft
