// Intervals: a set of points in time, as half-open intervals that are sorted and disjoint.
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

// Returns the union of intervals that may overlap and be in any order.
Intervals joined(std::vector<Interval> intervals);

// Returns the points of `all` that are not in `others`.
Intervals without(const Intervals& all, const Intervals& others);

int64_t length(const Intervals& intervals);

// Returns the length of the part of the interval that lies in the others.
int64_t common_length(const Interval& interval, const Intervals& others);

}  // namespace weft
