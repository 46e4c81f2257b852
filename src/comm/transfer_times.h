// transfer_seconds: the time of a collective on links that are all alike.
#pragma once

#include <map>
#include <string>

#include "comm/recording_communicator.h"

namespace weft {

// How a reduce or a broadcast reaches its root. kDirect: every other rank exchanges a message with
// the root, and all of them pass the root's link. kTree: a binomial tree. kChain: from rank to
// rank, piece by piece.
enum class RootTransfers { kDirect, kTree, kChain };

// Throws Error (kInput) for another name than direct, tree and chain.
RootTransfers parse_root_transfers(const std::string& name);

struct Network {
  int ranks = 1;
  double latency_s = 0.;    // until the first byte of a message arrives
  double bytes_per_s = 0.;  // of a node's link, each way; only one of a node's ranks uses it
  RootTransfers root = RootTransfers::kDirect;
  // The share of the link's rate that the library's algorithm reaches; 1 if it is not listed.
  std::map<Collective, double> shares = {};
};

// Computes the formulas of docs/distributed.md#what-they-cost: a ring, or an algorithm that takes
// as long, for every collective but reduce and broadcast. 0 for one rank.
// REQUIRES: ranks and bytes_per_s are positive.
double transfer_seconds(const RecordedTransfer& transfer, const Network& network);

}  // namespace weft
