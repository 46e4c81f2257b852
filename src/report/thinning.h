// Thinning: reduces the rows of long columns without losing a peak.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace weft {

// The indices of the rows to keep, rising: all of them if there are at most `most`. Otherwise the
// first, the last, and for equal parts of the rows those where a column is least and greatest, so
// that a curve of the kept rows shows every extreme. NaN is no extreme.
// REQUIRES: the columns are equally long, and `most` is at least 2 + 2 * their number.
std::vector<size_t> kept_rows(std::span<const std::vector<double>* const> columns, size_t most);

}  // namespace weft
