#include "base/intervals.h"

#include <algorithm>

namespace weft {

Intervals joined(std::vector<Interval> intervals) {
  std::ranges::sort(intervals, {}, &Interval::begin);
  Intervals apart;
  for (const Interval& interval : intervals) {
    if (interval.length() <= 0) continue;
    if (!apart.empty() && interval.begin <= apart.back().end) {
      apart.back().end = std::max(apart.back().end, interval.end);
    } else {
      apart.push_back(interval);
    }
  }
  return apart;
}

Intervals without(const Intervals& all, const Intervals& others) {
  Intervals rest;
  auto other = others.begin();
  for (const Interval& interval : all) {
    while (other != others.end() && other->end <= interval.begin) ++other;
    int64_t at = interval.begin;
    for (auto cut = other; cut != others.end() && cut->begin < interval.end; ++cut) {
      if (at < cut->begin) rest.push_back({at, cut->begin});
      at = cut->end;
    }
    if (at < interval.end) rest.push_back({at, interval.end});
  }
  return rest;
}

int64_t length(const Intervals& intervals) {
  int64_t sum = 0;
  for (const Interval& interval : intervals) sum += interval.length();
  return sum;
}

int64_t common_length(const Interval& interval, const Intervals& others) {
  int64_t sum = 0;
  auto at = std::ranges::partition_point(
      others, [&](const Interval& o) { return o.end <= interval.begin; });
  for (; at != others.end() && at->begin < interval.end; ++at) {
    sum += std::min(interval.end, at->end) - std::max(interval.begin, at->begin);
  }
  return sum;
}

}  // namespace weft
