#include "timeline/slice_efficiency.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

namespace weft {

SliceEfficiency efficiency_of(const TraceFile& trace, int64_t least_threads) {
  std::vector<double> useful_s(trace.tracks.size(), 0.);
  std::map<int64_t, double> wall_s;  // by process
  for (const TraceSlice& slice : trace.slices) {
    const double seconds = 1e-9 * static_cast<double>(slice.duration_ns);
    if (trace.is_work(slice)) {
      useful_s[slice.track] += seconds;
    } else if (trace.category_of(slice) == "program") {
      wall_s[trace.tracks[slice.track].process] += seconds;
    }
  }
  const auto workers = std::ranges::count_if(
      trace.tracks, [](const TraceTrack& track) { return track.name.starts_with("worker "); });

  SliceEfficiency e;
  e.threads = std::max<int64_t>(workers, least_threads);
  for (const auto& [process, seconds] : wall_s) e.wall_s = std::max(e.wall_s, seconds);
  if (e.threads == 0 || useful_s.empty()) return e;
  const double sum = std::accumulate(useful_s.begin(), useful_s.end(), 0.);
  e.average_useful_s = sum / static_cast<double>(e.threads);
  e.greatest_useful_s = *std::ranges::max_element(useful_s);
  return e;
}

}  // namespace weft
