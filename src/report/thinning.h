// Thinning: fewer rows of columns that are too long to keep, without losing a peak.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace weft {

// The rows to keep, rising: all of them if there are at most `most`; else the first, the last, and
// of equal parts of the rest those where a column is least and greatest, so that whoever draws the
// kept rows sees every extreme. NaN is neither. REQUIRES: the columns are equally long, and `most`
// is at least 2 + 2 for each column.
std::vector<size_t> kept_rows(std::span<const std::vector<double>* const> columns, size_t most);

}  // namespace weft
