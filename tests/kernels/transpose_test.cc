#include "kernels/transpose.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/each_target.h"
#include "support/test_matrix.h"

namespace weft {
namespace {

// Every tail of blocks of 4 and 8, and sizes on both sides of the 32 x 64 tiles.
std::vector<int64_t> sizes() {
  std::vector<int64_t> all;
  for (int64_t n = 0; n <= 19; ++n) all.push_back(n);
  for (int64_t n : {31, 32, 33, 47, 63, 64, 65, 67, 131}) all.push_back(n);
  return all;
}

TestMatrix transposed(TestMatrix& src) {
  TestMatrix dst(src.cols(), src.rows());
  for (int64_t r = 0; r < src.rows(); ++r) {
    for (int64_t c = 0; c < src.cols(); ++c) dst.at(c, r) = src.at(r, c);
  }
  return dst;
}

TEST(Transpose, SwapsRowsAndColumnsOfEverySize) {
  for_each_target([] {
    for (const int64_t rows : sizes()) {
      for (const int64_t cols : sizes()) {
        TestMatrix src = TestMatrix::normal(rows, cols, 1);
        TestMatrix dst(cols, rows);

        transpose(src, dst);

        ASSERT_EQ(dst.values(), transposed(src).values()) << rows << " x " << cols;
        ASSERT_TRUE(dst.guards_hold()) << rows << " x " << cols;
      }
    }
  });
}

TEST(Copy, GathersAStridedBlockAndWritesNothingElse) {
  for (const int64_t rows : sizes()) {
    for (const int64_t cols : sizes()) {
      TestMatrix src = TestMatrix::normal(rows, cols, 2);
      TestMatrix dst(rows, cols, 3);

      copy(src, dst);

      ASSERT_EQ(dst.values(), src.values());
      ASSERT_TRUE(dst.guards_hold());
    }
  }
}

}  // namespace
}  // namespace weft
