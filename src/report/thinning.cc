#include "report/thinning.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace weft {
namespace {

// Appends the rows of [begin, end) where the column is least and greatest; none if all are NaN.
void append_extremes(const std::vector<double>& column, size_t begin, size_t end,
                     std::vector<size_t>& rows) {
  size_t least = end, greatest = end;
  for (size_t i = begin; i < end; ++i) {
    if (std::isnan(column[i])) continue;
    if (least == end || column[i] < column[least]) least = i;
    if (greatest == end || column[i] > column[greatest]) greatest = i;
  }
  if (least == end) return;
  rows.push_back(least);
  rows.push_back(greatest);
}

}  // namespace

std::vector<size_t> kept_rows(std::span<const std::vector<double>* const> columns, size_t most) {
  require(!columns.empty() && most >= 2 + 2 * columns.size(), "there is room for the extremes");
  const size_t n = columns.front()->size();
  if (n <= most) {
    std::vector<size_t> all(n);
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
  }
  const size_t parts = (most - 2) / (2 * columns.size());
  std::vector<size_t> rows = {0, n - 1};
  for (size_t part = 0; part < parts; ++part) {
    for (const std::vector<double>* column : columns) {
      append_extremes(*column, n * part / parts, n * (part + 1) / parts, rows);
    }
  }
  std::ranges::sort(rows);
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

}  // namespace weft
