// Intervals: points in time as a set of half-open intervals, in order and apart from each other.
#pragma once

#include <cstdint>
#include <vector>

namespace weft {

struct Interval {
  int64_t begin = 0, end = 0;  // end >= begin

  int64_t length() const { return end - begin; }
  bool operator==(const Interval&) const = default;
};

using Intervals = std::vector<Interval>;

// The same points, from intervals in any order that may overlap.
Intervals joined(std::vector<Interval> intervals);

// The points of `all` that are not in `others`.
Intervals without(const Intervals& all, const Intervals& others);

int64_t length(const Intervals& intervals);

// How much of the interval lies in the others.
int64_t common_length(const Interval& interval, const Intervals& others);

}  // namespace weft
