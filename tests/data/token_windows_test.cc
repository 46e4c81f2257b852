#include "data/token_windows.h"

#include <gtest/gtest.h>

#include <vector>

namespace weft {
namespace {

TEST(TokenWindows, ScoreEveryPredictionOnceWithTheContextThatTheyPromise) {
  for (int64_t T = 1; T <= 9; ++T) {
    for (int64_t stride = 1; stride <= T; ++stride) {
      for (int64_t tokens = T + 1; tokens <= 4 * T + 2; ++tokens) {
        const TokenWindows windows(tokens, T, stride);
        std::vector<int> scored(static_cast<size_t>(tokens - 1));

        for (int64_t i = 0; i < windows.count(); ++i) {
          const TokenWindow window = windows[i];
          ASSERT_GE(window.begin, 0);
          ASSERT_LE(window.begin + T, tokens - 1);
          ASSERT_LT(window.first_scored, T);
          // With a prediction's own input token, its context has first_scored + 1 tokens or more.
          ASSERT_TRUE(i == 0 || window.first_scored >= T - stride);
          for (int64_t t = window.first_scored; t < T; ++t) {
            ++scored[static_cast<size_t>(window.begin + t)];
          }
        }

        ASSERT_EQ(scored, std::vector<int>(scored.size(), 1))
            << "T " << T << ", stride " << stride << ", tokens " << tokens;
      }
    }
  }
}

TEST(TokenWindows, EndWithTheStreamAsTheHeaderDraws) {
  const TokenWindows windows(8, 4, 2);

  ASSERT_EQ(windows.count(), 3);
  EXPECT_EQ(windows[0].begin, 0);
  EXPECT_EQ(windows[0].first_scored, 0);
  EXPECT_EQ(windows[1].begin, 2);
  EXPECT_EQ(windows[1].first_scored, 2);
  EXPECT_EQ(windows[2].begin, 3);
  EXPECT_EQ(windows[2].first_scored, 3);
}

TEST(TokenWindows, OfAStrideOfTheirLengthTouch) {
  const TokenWindows windows(13, 4, 4);

  ASSERT_EQ(windows.count(), 3);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(windows[i].begin, 4 * i);
    EXPECT_EQ(windows[i].first_scored, 0);
  }
}

TEST(TokenWindows, CountPast32Bits) {
  const int64_t tokens = int64_t{1} << 40;
  const TokenWindows windows(tokens, 1024, 1);

  ASSERT_EQ(windows.count(), tokens - 1024);
  EXPECT_EQ(windows[windows.count() - 1].begin, tokens - 1 - 1024);
  EXPECT_EQ(windows[windows.count() - 1].first_scored, 1023);
}

}  // namespace
}  // namespace weft
