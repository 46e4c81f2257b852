#include "run/rank_timelines.h"

#include <string>
#include <utility>
#include <vector>

#include "comm/clock.h"

namespace weft {

Timeline gather_timelines(const Trace& trace, int workers, Communicator& communicator) {
  const int64_t ahead_ns = clock_ahead_ns(communicator);
  RankTimeline mine = trace.timeline(communicator.rank(), rank_name(communicator), workers);
  shift(mine, -ahead_ns);
  std::vector<RankTimeline> ranks;
  for (const std::string& bytes : communicator.gather(to_bytes(mine))) {
    ranks.push_back(timeline_from_bytes(bytes));
  }
  return from_first_op(std::move(ranks));
}

}  // namespace weft
