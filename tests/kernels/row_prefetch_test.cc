#include "kernels/row_prefetch.h"

#include <gtest/gtest.h>

#include <vector>

namespace weft {
namespace {

// The rows lie at addresses that nobody may touch: a read or a write would crash.
TEST(RowPrefetch, TouchesNoMemory) {
  float* const nowhere = reinterpret_cast<float*>(0x1000);
  RowPrefetch ahead;
  ahead.will_read(Matrix<const float>(nowhere, 5, 33, 70));
  ahead.will_write(Matrix<const float>(nowhere, 3, 16));

  for (const int64_t rows : {1, 2, 4, 100, 100}) ahead.advance(rows);
}

TEST(RowPrefetch, EndsAtMatricesWithoutRows) {
  RowPrefetch nothing, empty;
  empty.will_read(Matrix<const float>(nullptr, 0, 16));
  empty.will_write(Matrix<const float>(nullptr, 0, 16));

  nothing.advance(16);
  empty.advance(16);
}

TEST(RowPrefetch, ChangesNoElement) {
  std::vector<float> x(480, 3.f);
  RowPrefetch ahead;
  ahead.will_write(Matrix<const float>(x.data(), 12, 33, 40));

  for (int i = 0; i < 4; ++i) ahead.advance(5);

  EXPECT_EQ(x, std::vector<float>(480, 3.f));
}

}  // namespace
}  // namespace weft
