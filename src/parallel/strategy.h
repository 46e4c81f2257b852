// Strategy: how the ranks of a run divide the update of the parameters among them. All strategies
// have the same result.
//
//               gradients                   updated by          weights
//   all-reduce  summed on every rank        every rank, all     need no transfer
//   sharded     each rank receives and      each rank, its      gathered from all ranks
//               adds up those of its share  share
//   server      summed on rank 0            rank 0, all         broadcast from rank 0
//
// strategy.cc holds the table of strategies, from which flags, step and simulator derive what they
// need. A new strategy is a class and a row there.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "parallel/buckets.h"

namespace weft {

struct DistributionSettings {
  std::string strategy = "all-reduce";  // as in `--dist`
  double bucket_mb = 25.;
  bool overlap = true;            // false: communication and computation take turns
  bool reproducible = false;      // the bits do not depend on the number of ranks
  bool dedicated_server = false;  // rank 0 computes no batches; REQUIRES Updaters::kRank0
};

// The ranks that update parameters, and therefore keep the optimizer's state for them.
enum class Updaters {
  kEveryRank,  // each rank updates all parameters
  kShares,     // each rank updates a share of each bucket
  kRank0       // rank 0 updates all parameters
};

// All transfers are of one bucket's elements. REQUIRES: the communicator outlives this.
class Strategy {
 public:
  explicit Strategy(Communicator& communicator) : communicator_(communicator) {}
  virtual ~Strategy() = default;

  // Sums the gradients of all ranks where they are updated, in the MPI library's order of addition.
  // REQUIRES: StrategyTraits::library_sums.
  virtual Request begin_sum(Vector<float> /*gradients*/) { return {}; }
  // The least that begin_sum sends from this rank.
  virtual int64_t sum_bytes(int64_t /*elements*/) const { return 0; }

  // Each rank has added up its share of the sums in `gradients`; sends it to the other ranks that
  // update with it. shares: elements by rank.
  virtual Request begin_spread_sums(Vector<float> /*gradients*/,
                                    const std::vector<int64_t>& /*shares*/) {
    return {};
  }

  // Each rank has updated its share of `weights`; sends it to all other ranks.
  virtual Request begin_spread_weights(Vector<float> /*weights*/,
                                       const std::vector<int64_t>& /*shares*/) {
    return {};
  }

 protected:
  Communicator& communicator_;
};

struct StrategyTraits {
  const char* name;  // as in `--dist`
  Updaters updaters;
  // Whether the MPI library may add up gradients. Else, and in reproducible runs, each rank
  // receives its share of the gradients of all ranks and adds them up itself.
  bool library_sums;
  std::unique_ptr<Strategy> (*make)(Communicator& communicator);
};

std::span<const StrategyTraits> strategies();
std::vector<std::string> strategy_names();

// Throws Error (kInput) for an unknown name.
const StrategyTraits& strategy_traits(const std::string& name);

}  // namespace weft
