#include "parallel/strategy.h"

#include <fmt/format.h>

#include "base/error.h"

namespace weft {
namespace {

class AllReduce : public Strategy {
 public:
  using Strategy::Strategy;

  std::vector<int64_t> shares(const Buckets& buckets, const Bucket& bucket) const override {
    return buckets.shares(bucket, communicator_.size());
  }
  bool everyone_updates() const override { return true; }
  Request begin_sum(Vector<float> gradients) override {
    return communicator_.begin_all_reduce(gradients);
  }
  // To add up each share in one place, and to send it from there: all but a rank's own, twice.
  int64_t sum_bytes(int64_t elements) const override {
    const int ranks = communicator_.size();
    return 2 * elements * (ranks - 1) / ranks * int64_t(sizeof(float));
  }
  Request begin_spread_sums(Vector<float> gradients, const std::vector<int64_t>& shares) override {
    return communicator_.begin_all_gather(gradients, shares);
  }
  Request begin_spread_weights(Vector<float>, const std::vector<int64_t>&) override { return {}; }
};

class Sharded : public Strategy {
 public:
  using Strategy::Strategy;

  std::vector<int64_t> shares(const Buckets& buckets, const Bucket& bucket) const override {
    return buckets.shares(bucket, communicator_.size());
  }
  // MPI's reduce-scatter would do, but Open MPI's uses a quarter of a link (docs/distributed.md).
  bool library_sums() const override { return false; }
  Request begin_spread_sums(Vector<float>, const std::vector<int64_t>&) override { return {}; }
  Request begin_spread_weights(Vector<float> weights, const std::vector<int64_t>& shares) override {
    return communicator_.begin_all_gather(weights, shares);
  }
};

class Server : public Strategy {
 public:
  using Strategy::Strategy;

  std::vector<int64_t> shares(const Buckets&, const Bucket& bucket) const override {
    std::vector<int64_t> shares(static_cast<size_t>(communicator_.size()), 0);
    shares[kServer] = bucket.elements.size();
    return shares;
  }
  Request begin_sum(Vector<float> gradients) override {
    return communicator_.begin_reduce(gradients, kServer);
  }
  int64_t sum_bytes(int64_t elements) const override {
    return communicator_.rank() == kServer ? 0 : elements * int64_t(sizeof(float));
  }
  Request begin_spread_sums(Vector<float>, const std::vector<int64_t>&) override { return {}; }
  Request begin_spread_weights(Vector<float> weights, const std::vector<int64_t>&) override {
    return communicator_.begin_broadcast(weights, kServer);
  }

 private:
  static constexpr int kServer = 0;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const std::string& name, Communicator& communicator) {
  if (name == "all-reduce") return std::make_unique<AllReduce>(communicator);
  if (name == "sharded") return std::make_unique<Sharded>(communicator);
  if (name == "server") return std::make_unique<Server>(communicator);
  throw input_error("train", fmt::format("unknown strategy '{}'", name),
                    "use all-reduce, sharded or server");
}

}  // namespace weft
