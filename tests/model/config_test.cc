#include "model/config.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/error_of.h"

namespace weft {
namespace {

constexpr int64_t kV = 257;

std::string parse_error(const std::string& text) {
  return error_of([&] { parse_model(text, kV); });
}

std::string validate_error(const Config& config) {
  return error_of([&] { validate(config); });
}

TEST(Config, KnowsLlmcsDepthTable) {
  EXPECT_EQ(parse_model("d6", kV), (Config{6, 6, 384, 1024, kV}));
  EXPECT_EQ(parse_model("d12", kV), (Config{12, 12, 768, 1024, kV}));
  EXPECT_EQ(parse_model("d24", kV), (Config{24, 16, 1024, 1024, kV}));
  EXPECT_EQ(parse_model("d36", kV), (Config{36, 20, 1280, 1024, kV}));
  EXPECT_EQ(parse_model("d48", kV), (Config{48, 25, 1600, 1024, kV}));
  EXPECT_EQ(parse_model("d60", kV), (Config{60, 30, 1920, 1024, kV}));
  EXPECT_EQ(parse_model("d72", kV), (Config{72, 30, 2880, 1024, kV}));
  EXPECT_EQ(parse_model("d84", kV), (Config{84, 36, 3456, 1024, kV}));
}

TEST(Config, KnowsTheNamesOfTheFourReleasedModels) {
  EXPECT_EQ(parse_model("gpt2", kV), parse_model("d12", kV));
  EXPECT_EQ(parse_model("gpt2-medium", kV), parse_model("d24", kV));
  EXPECT_EQ(parse_model("gpt2-large", kV), parse_model("d36", kV));
  EXPECT_EQ(parse_model("gpt2-xl", kV), parse_model("d48", kV));
}

TEST(Config, ReadsItsNumbersInAnyOrder) {
  const Config expected = {.L = 3, .NH = 5, .C = 35, .T = 7, .V = kV};

  EXPECT_EQ(parse_model("L=3,NH=5,C=35,T=7", kV), expected);
  EXPECT_EQ(parse_model("T=7,C=35,NH=5,L=3", kV), expected);
}

TEST(Config, TakesTheVocabularyThatTheTextNames) {
  EXPECT_EQ(parse_model("L=3,NH=5,C=35,T=7", kV).V, kV);
  EXPECT_EQ(parse_model("L=3,NH=5,V=31,C=35,T=7", kV).V, 31);
}

TEST(Config, RefusesUnknownNamesAndListsTheForms) {
  for (const char* text : {"", "gpt3", "d13", "GPT2", "gpt2 ", "d"}) {
    EXPECT_TRUE(mentions(parse_error(text), {"unknown model", text, "gpt2-medium", "L=4,NH=4"}));
  }
}

TEST(Config, RefusesFieldsThatItCannotRead) {
  EXPECT_TRUE(mentions(parse_error("L=3,NH=5,C=35,T"), {"cannot read 'T'"}));
  EXPECT_TRUE(mentions(parse_error("L=3,,NH=5,C=35,T=7"), {"cannot read ''"}));
  EXPECT_TRUE(mentions(parse_error("L=3,NH=5,C=35,T=7,H=2"), {"unknown key 'H'"}));
  EXPECT_TRUE(mentions(parse_error("l=3,NH=5,C=35,T=7"), {"unknown key 'l'"}));
  EXPECT_TRUE(mentions(parse_error("L=3,NH=5,C=35,T=7,L=3"), {"L is given twice"}));
}

TEST(Config, RefusesNumbersThatAreNotWhole) {
  for (const char* number : {"", "x", "3x", " 3", "+3", "3.0", "0x3", "9223372036854775808"}) {
    const std::string text = std::string("L=") + number + ",NH=5,C=35,T=7";
    EXPECT_TRUE(mentions(parse_error(text), {"is not a whole number"})) << text;
  }
}

TEST(Config, NeedsEveryNumberButTheVocabulary) {
  for (const char* text :
       {"NH=5,C=35,T=7", "L=3,C=35,T=7", "L=3,NH=5,T=7", "L=3,NH=5,C=35", "V=31"}) {
    EXPECT_TRUE(mentions(parse_error(text), {"L, NH, C and T are all needed"})) << text;
  }
}

TEST(Config, ValidatesWhatItParsed) {
  EXPECT_TRUE(mentions(parse_error("L=0,NH=5,C=35,T=7"), {"L=0 is not in [1, 1000]"}));
  EXPECT_TRUE(mentions(parse_error("L=3,NH=5,C=35,T=-7"), {"T=-7 is not in [1, "}));
}

TEST(Config, AcceptsItsLimitsAndNothingBeyond) {
  const Config largest = {.L = 1000, .NH = 1, .C = 65536, .T = 1 << 20, .V = 1 << 24};
  const Config smallest = {.L = 1, .NH = 1, .C = 1, .T = 1, .V = 1};

  EXPECT_EQ(validate_error(largest), "");
  EXPECT_EQ(validate_error(smallest), "");
  EXPECT_EQ(validate_error({.L = 1, .NH = 1000, .C = 1000, .T = 1, .V = 1}), "");
  for (int64_t Config::*number : {&Config::L, &Config::NH, &Config::C, &Config::T, &Config::V}) {
    Config below = smallest;
    below.*number = 0;
    EXPECT_TRUE(mentions(validate_error(below), {"=0 is not in [1, "}));
  }
  for (int64_t Config::*number : {&Config::L, &Config::C, &Config::T, &Config::V}) {
    Config above = largest;
    ++(above.*number);
    EXPECT_TRUE(mentions(validate_error(above), {"is not in [1, "}));
  }
  EXPECT_TRUE(mentions(validate_error({.L = 1, .NH = 1001, .C = 1001, .T = 1, .V = 1}),
                       {"NH=1001 is not in [1, 1000]"}));
}

TEST(Config, NeedsHeadsThatDivideTheChannelsAndOffersAWidth) {
  EXPECT_TRUE(mentions(validate_error({.L = 3, .NH = 5, .C = 36, .T = 7, .V = 31}),
                       {"C=36 is not divisible by NH=5", "try C=40"}));
}

TEST(Config, ErrorsBlameTheInput) {
  try {
    parse_model("gpt3", kV);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.where(), "model");
  }
}

TEST(Config, PadsTheVocabularyToWholePanels) {
  for (const auto& [V, Vp] : std::vector<std::pair<int64_t, int64_t>>{
           {1, 128}, {127, 128}, {128, 128}, {129, 256}, {257, 384}, {50257, 50304}}) {
    EXPECT_EQ((Config{.V = V}.Vp()), Vp);
  }
}

TEST(Config, PrintsWhatItParses) {
  EXPECT_EQ(to_string(parse_model("gpt2", 50257)), "L=12,NH=12,C=768,T=1024,V=50257");
  for (const char* text : {"d6", "gpt2-xl", "L=3,NH=5,C=35,T=7,V=31", "L=1,NH=1,C=1,T=1,V=1"}) {
    const Config config = parse_model(text, kV);
    EXPECT_EQ(parse_model(to_string(config), 50257), config);
  }
}

}  // namespace
}  // namespace weft
