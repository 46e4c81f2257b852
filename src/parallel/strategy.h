// Strategy: how the ranks of a run share out the update. Three of them, for the same result.
//
//               gradients                  who updates          weights
//   all-reduce  summed on every rank       every rank, all      are there already
//   sharded     exchanged; each rank adds  each rank its share  gathered from all ranks
//               up its share
//   server      summed on rank 0           rank 0, all          broadcast from there
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "parallel/buckets.h"

namespace weft {

struct DistributionSettings {
  std::string strategy = "all-reduce";  // as in `--dist`
  double bucket_mb = 25.;
  bool overlap = true;            // else communication waits for computation, and the reverse
  bool reproducible = false;      // the bits do not depend on the number of ranks
  bool dedicated_server = false;  // with `server`: rank 0 computes no batches
};

// All transfers are of one bucket's elements. REQUIRES: the communicator outlives this.
class Strategy {
 public:
  explicit Strategy(Communicator& communicator) : communicator_(communicator) {}
  virtual ~Strategy() = default;

  // Elements of the bucket that each rank updates or, where every rank updates all, adds up for the
  // others.
  virtual std::vector<int64_t> shares(const Buckets& buckets, const Bucket& bucket) const = 0;
  virtual bool everyone_updates() const { return false; }

  // Whether the library adds up gradients. If not, each rank is sent its share of all gradients,
  // and adds them up itself.
  virtual bool library_sums() const { return true; }
  // Sums gradients in the library's order. REQUIRES: library_sums().
  virtual Request begin_sum(Vector<float>) { return {}; }
  // What begin_sum sends from this rank at least, for so many elements.
  virtual int64_t sum_bytes(int64_t) const { return 0; }

  // Each rank has its share of the sums in `gradients`: gives it to whoever updates with it.
  virtual Request begin_spread_sums(Vector<float> gradients,
                                    const std::vector<int64_t>& shares) = 0;

  // Each rank has updated its share of the weights: gives it to all.
  virtual Request begin_spread_weights(Vector<float> weights,
                                       const std::vector<int64_t>& shares) = 0;

 protected:
  Communicator& communicator_;
};

// Throws Error (kInput) for another name.
std::unique_ptr<Strategy> make_strategy(const std::string& name, Communicator& communicator);

}  // namespace weft
