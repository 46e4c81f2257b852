#include "comm/clock.h"

#include <vector>

#include "base/now_ns.h"

namespace weft {
namespace {

constexpr int kRounds = 32;

}  // namespace

// Rank 0 sends its time, which it read between this rank's two readings. The round whose two
// readings are closest together gives the most exact estimate.
int64_t clock_ahead_ns(Communicator& communicator) {
  int64_t ahead = 0, closest = INT64_MAX;
  for (int round = 0; round < kRounds; ++round) {
    communicator.barrier();
    const int64_t before = now_ns();
    std::vector<double> theirs = {communicator.rank() == 0 ? double(before) : 0.};
    communicator.all_reduce(theirs, Reduction::kSum);
    const int64_t after = now_ns();
    if (after - before >= closest) continue;
    closest = after - before;
    ahead = before + (after - before) / 2 - int64_t(theirs[0]);
  }
  const bool is_same_host = communicator.broadcast(communicator.host()) == communicator.host();
  return is_same_host ? 0 : ahead;
}

}  // namespace weft
