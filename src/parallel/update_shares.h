// UpdateShares: which rank adds up the gradients of which elements, and which rank updates them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "parallel/buckets.h"
#include "parallel/strategy.h"

namespace weft {

// Every rank has a share of each bucket, of whole units and as even as these allow; where rank 0
// alone updates, all of it is rank 0's. A rank adds up exchanged gradients of its share, and
// updates it unless every rank updates everything.
//
// REQUIRES: the buckets outlive this.
class UpdateShares {
 public:
  UpdateShares(const Buckets& buckets, Updaters updaters, const Communicator& communicator)
      : buckets_(buckets),
        updaters_(updaters),
        rank_(communicator.rank()),
        ranks_(communicator.size()) {}

  bool everyone_updates() const { return updaters_ == Updaters::kEveryRank; }

  // Elements of the bucket in each rank's share; the shares lie side by side in memory.
  std::vector<int64_t> shares(size_t bucket) const;
  // The elements of this rank's share.
  Range my_share(size_t bucket) const;
  // The units that this rank updates.
  Range my_units(size_t bucket) const;

  // The part of all elements that this rank updates, and so keeps the optimizer's state for: 0
  // to 1.
  double state_share() const;

  // The ranks that keep the optimizer's state for a run of elements: counts[r] of the elements from
  // `begin` on are rank r's, side by side in the order of ranks.
  struct Keepers {
    int64_t begin;
    std::vector<int64_t> counts;
  };
  // REQUIRES: !everyone_updates().
  std::vector<Keepers> keepers_of(Range elements) const;

 private:
  const Buckets& buckets_;
  Updaters updaters_;
  int rank_, ranks_;
};

}  // namespace weft
