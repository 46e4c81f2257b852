// MomentTransport: moves the optimizer's state (the moments of AdamW) between rank 0, which reads
// and writes checkpoints, and the ranks that keep it.
//
// Where every rank updates all parameters, each keeps the whole state, and a checkpoint needs no
// transport. Else a rank keeps the moments of the parameters that it updates. While rank 0 writes a
// checkpoint it fetches the tensors one at a time, so that it never holds all moments in memory.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.h"
#include "optim/optimizer.h"
#include "parallel/distribution.h"

namespace weft {

class MomentTransport {
 public:
  // distribution: null where nothing is shared with other ranks.
  // REQUIRES: all arguments outlive this.
  MomentTransport(Communicator& communicator, const Distribution* distribution,
                  const std::vector<OptimizerTensor>& state);

  // Whether each rank keeps all moments, so that fetch and serve have nothing to do.
  bool keeps_all() const {
    return distribution_ == nullptr || distribution_->shares().everyone_updates();
  }

  // A collective: rank 0, which has read all moments, sends each rank those that it keeps.
  // REQUIRES: there are several ranks.
  void scatter() const;

  // On rank 0: brings in the moment tensor ("m/block3/qkvw") from the ranks that keep it, and
  // releases the memory of the one before. An empty name ends serve() on the other ranks. REQUIRES:
  // not keeps_all(); the other ranks are in serve().
  void fetch(const std::string& tensor);
  void end_fetching() { fetch(""); }

  // On the other ranks: sends each tensor that rank 0 fetches, until it ends fetching.
  // REQUIRES: not keeps_all().
  void serve() const;

 private:
  enum class Direction { kToMain, kFromMain };

  bool is_main() const { return communicator_.rank() == 0; }
  // The buffer and the elements of a tensor.
  struct Place {
    Vector<float> buffer;
    Range elements;
  };
  Place place_of(const std::string& tensor) const;
  void move(const Place& place, Direction direction) const;
  void exchange_with_main(Vector<float> values, int64_t offset, const std::vector<int64_t>& counts,
                          Direction direction) const;
  void release(const Place& place) const;

  Communicator& communicator_;
  const Distribution* distribution_;
  const std::vector<OptimizerTensor>& state_;
  std::string fetched_;  // the tensor that rank 0 holds for other ranks
};

}  // namespace weft
