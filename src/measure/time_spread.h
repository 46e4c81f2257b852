// TimeSpread: the range and the median of several times of the same work.
#pragma once

#include <vector>

namespace weft {

// Seconds.
struct TimeSpread {
  double min = 0., median = 0., max = 0.;
};

// REQUIRES: there are times.
TimeSpread spread_of(std::vector<double> seconds);

}  // namespace weft
