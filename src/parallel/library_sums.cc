// Gradient sums by the MPI library: one reduction per bucket, in place.
#include <algorithm>

#include "parallel/gradient_sums.h"

namespace weft {
namespace {

class LibrarySums : public GradientSums {
 public:
  explicit LibrarySums(const Parts& parts) : parts_(parts), pending_(parts.buckets.all().size()) {}

  void append_start(Program& program, size_t bucket) override {
    const Range range = parts_.buckets.all()[bucket].elements;
    const auto begin = [this, range](PendingTransfers& pending) {
      const Vector<float> gradients = elements(parts_.dweights, range);
      // A rank without batches takes part in the sum, and adds nothing to it.
      if (!parts_.workers.works(parts_.communicator.rank())) std::ranges::fill(gradients, 0.f);
      pending.push_back(parts_.strategy.begin_sum(gradients));
      parts_.transfers.meter().sent(parts_.strategy.sum_bytes(range.size()));
    };
    parts_.transfers.append_start(program, bucket_op_name(bucket, "exchange/sum"), {},
                                  gradients(bucket), pending_[bucket], begin);
  }

  void append_finish(Program& program, size_t bucket) override {
    parts_.transfers.append_finish(program, bucket_op_name(bucket, "exchange/sum"),
                                   gradients(bucket), pending_[bucket]);
  }

 private:
  std::vector<TileId> gradients(size_t bucket) const {
    return parts_.buckets.tiles(parts_.dweights, parts_.buckets.all()[bucket].units);
  }

  Parts parts_;
  std::vector<PendingTransfers> pending_;  // by bucket
};

}  // namespace

std::unique_ptr<GradientSums> make_library_sums(const GradientSums::Parts& parts) {
  return std::make_unique<LibrarySums>(parts);
}

}  // namespace weft
