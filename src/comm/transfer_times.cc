#include "comm/transfer_times.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace weft {
namespace {

// The size of the pieces that a chain passes on.
constexpr double kPieceBytes = 64 << 10;

double root_seconds(double bytes, double N, double latency_s, double s_per_byte,
                    RootTransfers root) {
  switch (root) {
    case RootTransfers::kDirect:
      return (N - 1) * (latency_s + bytes * s_per_byte);
    case RootTransfers::kTree:
      return std::ceil(std::log2(N)) * (latency_s + bytes * s_per_byte);
    case RootTransfers::kChain: {
      const double pieces = std::max(1., std::ceil(bytes / kPieceBytes));
      return (N - 2 + pieces) * (latency_s + bytes / pieces * s_per_byte);
    }
  }
  return 0.;
}

}  // namespace

RootTransfers parse_root_transfers(const std::string& name) {
  if (name == "direct") return RootTransfers::kDirect;
  if (name == "tree") return RootTransfers::kTree;
  if (name == "chain") return RootTransfers::kChain;
  throw input_error("comm", "unknown way to one rank and from it: " + name,
                    "use direct, tree or chain");
}

double transfer_seconds(const RecordedTransfer& transfer, const Network& network) {
  if (network.ranks == 1) return 0.;
  const double N = network.ranks, bytes = double(transfer.bytes);
  const auto share = network.shares.find(transfer.collective);
  const double rate = network.bytes_per_s * (share == network.shares.end() ? 1. : share->second);
  // Each rank passes on N - 1 of the N parts of the buffer.
  const double ring = (N - 1) * (network.latency_s + bytes / N / rate);
  switch (transfer.collective) {
    case Collective::kAllReduce:  // first partial sums go round the ring, then the results
      return 2 * ring;
    case Collective::kAllGather:
    case Collective::kExchange:  // a message to each other rank
      return ring;
    case Collective::kReduce:
    case Collective::kBroadcast:
      return root_seconds(bytes, N, network.latency_s, 1. / rate, network.root);
  }
  return 0.;
}

}  // namespace weft
