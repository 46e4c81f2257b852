#include "measure/time_spread.h"

#include <algorithm>

#include "base/error.h"

namespace weft {

TimeSpread spread_of(std::vector<double> seconds) {
  require(!seconds.empty(), "there are times");
  std::ranges::sort(seconds);
  const size_t n = seconds.size();
  const double median = (seconds[(n - 1) / 2] + seconds[n / 2]) / 2.;
  return {seconds.front(), median, seconds.back()};
}

}  // namespace weft
