// transfer_seconds: how long a collective takes on links that are all alike.
#pragma once

#include <map>
#include <string>

#include "comm/imagined_rank.h"

namespace weft {

// What goes on between one rank and all others. kDirect: each of them sends to it, or receives from
// it, and all of that passes its link. kTree: a binomial tree. kChain: through all ranks, piece by
// piece.
enum class RootTransfers { kDirect, kTree, kChain };

// Throws Error (kInput) for another name than direct, tree and chain.
RootTransfers parse_root_transfers(const std::string& name);

struct Network {
  int ranks = 1;
  double latency_s = 0.;  // before the first byte of a message arrives
  double bytes_per_s =
      0.;  // of a node's link, each way; of several ranks of a node, one crosses it
  RootTransfers root = RootTransfers::kDirect;
  // Of the link's rate, what the library's algorithm reaches; all of it where it is not listed.
  std::map<Collective, double> shares = {};
};

// By the formulas of docs/distributed.md#what-they-cost: rings, or what takes as long, for all but
// reduce and broadcast. 0 for one rank. REQUIRES: ranks and bytes_per_s are positive.
double transfer_seconds(const NotedTransfer& transfer, const Network& network);

}  // namespace weft
