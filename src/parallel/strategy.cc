#include "parallel/strategy.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"

namespace weft {
namespace {

template <typename T>
std::unique_ptr<Strategy> make(Communicator& communicator) {
  return std::make_unique<T>(communicator);
}

class AllReduce : public Strategy {
 public:
  using Strategy::Strategy;

  Request begin_sum(Vector<float> gradients) override {
    return communicator_.begin_all_reduce(gradients);
  }
  // A rank sends all shares but its own to where they are added up, and its own sum to all others.
  int64_t sum_bytes(int64_t elements) const override {
    const int ranks = communicator_.size();
    return 2 * elements * (ranks - 1) / ranks * int64_t(sizeof(float));
  }
  Request begin_spread_sums(Vector<float> gradients, const std::vector<int64_t>& shares) override {
    return communicator_.begin_all_gather(gradients, shares);
  }
};

class Sharded : public Strategy {
 public:
  using Strategy::Strategy;

  Request begin_spread_weights(Vector<float> weights, const std::vector<int64_t>& shares) override {
    return communicator_.begin_all_gather(weights, shares);
  }
};

class Server : public Strategy {
 public:
  using Strategy::Strategy;

  Request begin_sum(Vector<float> gradients) override {
    return communicator_.begin_reduce(gradients, kServer);
  }
  int64_t sum_bytes(int64_t elements) const override {
    return communicator_.rank() == kServer ? 0 : elements * int64_t(sizeof(float));
  }
  Request begin_spread_weights(Vector<float> weights, const std::vector<int64_t>&) override {
    return communicator_.begin_broadcast(weights, kServer);
  }

 private:
  static constexpr int kServer = 0;
};

// MPI has a reduce-scatter for `sharded`, but Open MPI's reaches a quarter of a link
// (docs/distributed.md), so its ranks exchange gradients and add them up themselves.
constexpr std::array kStrategies = {
    StrategyTraits{"all-reduce", Updaters::kEveryRank, /*library_sums=*/true, make<AllReduce>},
    StrategyTraits{"sharded", Updaters::kShares, /*library_sums=*/false, make<Sharded>},
    StrategyTraits{"server", Updaters::kRank0, /*library_sums=*/true, make<Server>}};

}  // namespace

std::span<const StrategyTraits> strategies() { return kStrategies; }

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (const StrategyTraits& strategy : strategies()) names.emplace_back(strategy.name);
  return names;
}

const StrategyTraits& strategy_traits(const std::string& name) {
  for (const StrategyTraits& strategy : strategies()) {
    if (strategy.name == name) return strategy;
  }
  const std::vector<std::string> names = strategy_names();
  throw input_error(
      "train", fmt::format("unknown strategy '{}'", name),
      fmt::format("use {} or {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back()));
}

}  // namespace weft
