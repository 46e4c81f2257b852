#include "base/poll_backoff.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(PollBackoffTest, DoesNotSleepAtFirstAndLaterAtMostAnEighthOfTheWait) {
  PollBackoff backoff;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(backoff.nap(), microseconds(0));

  std::this_thread::sleep_for(microseconds(600));
  const microseconds nap = backoff.nap();
  const auto waited = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(nap, microseconds(600) / 8);
  EXPECT_LE(nap, waited / 8);
}

TEST(PollBackoffTest, NapsStayShortAndBeginAnewAfterReset) {
  PollBackoff backoff;
  backoff.nap();
  std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(backoff.nap(), microseconds(200));

  backoff.reset();
  EXPECT_EQ(backoff.nap(), microseconds(0));
}

}  // namespace
}  // namespace weft
