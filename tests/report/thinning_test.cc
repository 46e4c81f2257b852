#include "report/thinning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace weft {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> wave(size_t n) {
  std::vector<double> column(n);
  for (size_t i = 0; i < n; ++i) column[i] = std::sin(0.01 * static_cast<double>(i));
  return column;
}

std::vector<size_t> rows_of(const std::vector<double>& column, size_t most) {
  const std::array<const std::vector<double>*, 1> columns = {&column};
  return kept_rows(columns, most);
}

bool keeps(const std::vector<size_t>& rows, size_t row) {
  return std::ranges::binary_search(rows, row);
}

TEST(Thinning, KeepsAllRowsWhereThereIsRoom) {
  EXPECT_EQ(rows_of(wave(5), 5), (std::vector<size_t>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(rows_of({}, 5).empty());
}

TEST(Thinning, KeepsTheEndsAndEveryPeakOfEveryColumn) {
  std::vector<double> a = wave(10'007), b(10'007, 0.);
  a[1234] = 7.;
  a[1235] = -7.;
  b[9001] = 3.;
  const std::array<const std::vector<double>*, 2> columns = {&a, &b};

  const std::vector<size_t> rows = kept_rows(columns, 100);

  EXPECT_LE(rows.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(rows));
  for (const size_t row : {0, 1234, 1235, 9001, 10'006}) EXPECT_TRUE(keeps(rows, row)) << row;
}

TEST(Thinning, NaNIsNoPeak) {
  std::vector<double> column(1000, kNaN);
  column[500] = 1.;

  const std::vector<size_t> rows = rows_of(column, 10);

  EXPECT_EQ(rows, (std::vector<size_t>{0, 500, 999}));
}

}  // namespace
}  // namespace weft
