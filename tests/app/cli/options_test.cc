#include "app/cli/options.h"

#include <gtest/gtest.h>

#include "support/error_of.h"

namespace weft {
namespace {

TEST(NearestName, TakesTheFewestEdits) {
  const std::vector<std::string> names = {"steps", "seed", "seq-len"};

  EXPECT_EQ(nearest_name("step", names), "steps");
  EXPECT_EQ(nearest_name("sede", names), "seed");
  EXPECT_EQ(nearest_name("seqlen", names), "seq-len");
  EXPECT_EQ(nearest_name("", names), "steps");
}

TEST(NearestName, PrefersWhatContinuesTheWord) {
  const std::vector<std::string> names = {"data", "batch-size"};

  EXPECT_EQ(nearest_name("batch", names), "batch-size");  // five edits; data is three away
}

class OptionsTest : public testing::Test {
 protected:
  OptionsTest() {
    options_.integer("--count", count_, {1, 10}, "");
    options_.seed("--seed", seed_, "");
    options_.real("--rate", rate_, {0., 1.}, "");
    options_.texts("--files", files_, "PATH", "");
    options_.choice("--kind", kind_, {"a", "b"}, "");
    options_.flag("--yes,!--no-yes", yes_, "");
  }

  std::string error(const Arguments& arguments) {
    return error_of([&] { options_.parse(arguments); });
  }

  Options options_{"test", "A test."};
  int64_t count_ = 3;
  uint64_t seed_ = 1;
  double rate_ = 0.5;
  std::vector<std::string> files_;
  std::string kind_ = "a";
  bool yes_ = true;
};

TEST_F(OptionsTest, WhatIsNotGivenKeepsItsValue) {
  EXPECT_TRUE(options_.parse({}));

  EXPECT_EQ(count_, 3);
  EXPECT_EQ(kind_, "a");
  EXPECT_TRUE(yes_);
}

TEST_F(OptionsTest, ReadsEveryKind) {
  EXPECT_TRUE(options_.parse({"--count", "010", "--seed=18446744073709551615", "--rate", "1e-3",
                              "--files", "x y", "-", "*.bin", "--kind", "b", "--no-yes"}));

  EXPECT_EQ(count_, 10);  // not octal
  EXPECT_EQ(seed_, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(rate_, 1e-3);
  EXPECT_EQ(files_, (std::vector<std::string>{"x y", "-", "*.bin"}));
  EXPECT_EQ(kind_, "b");
  EXPECT_FALSE(yes_);
}

TEST_F(OptionsTest, ErrorsNameTheFlagAndTheLimits) {
  EXPECT_EQ(error({"--count", "11"}), "[test] --count: 11 is not in [1, 10]");
  EXPECT_EQ(error({"--count", "2.5"}), "[test] --count: '2.5' is not a whole number");
  EXPECT_EQ(error({"--count", "9223372036854775808"}),
            "[test] --count: 9223372036854775808 is out of range");
  EXPECT_EQ(error({"--rate", "nan"}), "[test] --rate: nan is not finite");
  EXPECT_EQ(error({"--kind", "c"}), "[test] --kind: 'c' is not supported; use a, b");
}

TEST_F(OptionsTest, AFlagGivenTwiceIsAnError) {
  EXPECT_TRUE(mentions(error({"--count", "1", "--count", "2"}), {"--count"}));
}

}  // namespace
}  // namespace weft
