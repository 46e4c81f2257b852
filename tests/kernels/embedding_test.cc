#include "kernels/embedding.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/each_target.h"
#include "support/test_matrix.h"

namespace weft {
namespace {

TEST(Embedding, ForwardAddsTheRowsOfTokenAndPosition) {
  const std::vector<int32_t> tokens = {30, 0, 7, 7, 12}, positions = {0, 1, 2, 0, 6};

  for_each_target([&] {
    for (int64_t C = 1; C <= 67; ++C) {
      TestMatrix wte = TestMatrix::normal(31, C, 1), wpe = TestMatrix::normal(7, C, 2);
      TestMatrix out(5, C);

      embedding_forward(tokens, positions, wte, wpe, out);

      for (int64_t i = 0; i < 5; ++i) {
        for (int64_t c = 0; c < C; ++c) {
          ASSERT_EQ(out.at(i, c), wte.at(tokens[size_t(i)], c) + wpe.at(positions[size_t(i)], c));
        }
      }
      ASSERT_TRUE(out.guards_hold());
    }
  });
}

TEST(Embedding, BackwardAddsRepeatedRowsInOrder) {
  // 1 + 1e8 - 1e8 is 0 in float, and -1e8 + 1e8 + 1 is 1: the order shows.
  const std::vector<int32_t> indices = {2, 2, 0, 2};
  const float rows[] = {1e8f, -1e8f, 5.f, 3.f};

  for_each_target([&] {
    for (int64_t C = 1; C <= 67; ++C) {
      TestMatrix dout(4, C), dtable(3, C);
      for (int64_t c = 0; c < C; ++c) {
        for (int64_t i = 0; i < 4; ++i) dout.at(i, c) = rows[i];
        dtable.at(2, c) = 1.f;
      }

      embedding_backward(indices, dout, dtable);

      for (int64_t c = 0; c < C; ++c) {
        ASSERT_EQ(dtable.at(0, c), 5.f);
        ASSERT_EQ(dtable.at(1, c), 0.f);
        ASSERT_EQ(dtable.at(2, c), ((1.f + 1e8f) - 1e8f) + 3.f);
      }
      ASSERT_TRUE(dtable.guards_hold());
    }
  });
}

// The loss sum(out * dout) is linear in the tables, so its central difference is exact.
TEST(Embedding, BackwardMatchesFiniteDifferences) {
  const int64_t C = 15;
  const std::vector<int32_t> tokens = {3, 1, 3}, positions = {0, 1, 2};
  TestMatrix dout = TestMatrix::normal(3, C, 3);
  const auto loss = [&](int64_t row, int64_t column, double step) {
    double sum = 0;
    for (int64_t i = 0; i < 3; ++i) {
      if (tokens[size_t(i)] == row) sum += step * dout.at(i, column);
    }
    return sum;
  };

  for_each_target([&] {
    TestMatrix dwte(5, C);

    embedding_backward(tokens, dout, dwte);

    for (int64_t r = 0; r < 5; ++r) {
      for (int64_t c = 0; c < C; ++c) {
        // One float addition rounds.
        EXPECT_NEAR(dwte.at(r, c), (loss(r, c, 0.5) - loss(r, c, -0.5)), 1e-6);
      }
    }
  });
}

}  // namespace
}  // namespace weft
