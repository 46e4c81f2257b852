#include "app/cli/format.h"

#include <gtest/gtest.h>

#include <limits>

namespace weft {
namespace {

TEST(Format, CountsHaveGroupsOfThreeDigits) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(-123456), "-123,456");
  EXPECT_EQ(format_count(std::numeric_limits<int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(Format, LargeNumbersHaveThreeDigitsAndAPrefix) {
  EXPECT_EQ(format_large(7.), "7");
  EXPECT_EQ(format_large(999.4), "999");
  EXPECT_EQ(format_large(999.6), "1.00 k");
  EXPECT_EQ(format_large(124.4e6), "124 M");
  EXPECT_EQ(format_large(9.996e9), "10.0 G");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1'530'000'000), "1.53 GB");
}

TEST(Format, DurationsGrowFromMinutesToHours) {
  EXPECT_EQ(format_duration(0.4), "0:00");
  EXPECT_EQ(format_duration(59.6), "1:00");
  EXPECT_EQ(format_duration(754.), "12:34");
  EXPECT_EQ(format_duration(3723.), "1:02:03");
}

TEST(Format, ShellsReadBackWhatIsQuoted) {
  EXPECT_EQ(quote_for_shell("runs/a-b_1.txt"), "runs/a-b_1.txt");
  EXPECT_EQ(quote_for_shell("my file"), "'my file'");
  EXPECT_EQ(quote_for_shell("it's"), "'it'\\''s'");
  EXPECT_EQ(quote_for_shell(""), "''");
}

}  // namespace
}  // namespace weft
