#include "app/weft_command.h"
#include "data/stories.h"
#include "data/token_source.h"

namespace weft {
namespace {

class TokenizeCommand : public WeftCommand {
 protected:
  CommandResult tokenize(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"tokenize", "--tokenizer", "bytes"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return weft(arguments);
  }

  std::vector<int32_t> first_tokens(std::string_view name, int64_t n) const {
    const TokenSource source = TokenSource::open_shards({path(name)});
    std::vector<int32_t> inputs(static_cast<size_t>(n)), targets(inputs.size());
    source.sample(0, inputs, targets);
    return inputs;
  }
};

TEST_F(TokenizeCommand, TextGoesThereAndBack) {
  const std::string text("h\xc3\xa9llo \xff\0 world\n", 16);
  directory_.write("text.txt", text);

  const CommandResult there = tokenize({path("text.txt"), "--out", path("t.bin"), "--eot", "none"});
  const CommandResult back = tokenize({"--decode", path("t.bin"), "--out", path("back.txt")});

  EXPECT_EQ(there.status, 0) << there.err;
  EXPECT_EQ(back.status, 0) << back.err;
  EXPECT_EQ(read_file(path("back.txt")), text);
  EXPECT_EQ(tokenize({"--decode", path("t.bin")}).out, text);
}

TEST_F(TokenizeCommand, EndOfTextGoesWhereAsked) {
  directory_.write("a.txt", "a");
  directory_.write("b.txt", "bc");
  const auto tokens = [&](const char* eot, int64_t n) {
    tokenize({path("a.txt"), path("b.txt"), "--out", path("t.bin"), "--eot", eot});
    return first_tokens("t.bin", n);
  };

  EXPECT_EQ(tokens("before", 4), (std::vector<int32_t>{256, 'a', 256, 'b'}));
  EXPECT_EQ(tokens("after", 4), (std::vector<int32_t>{'a', 256, 'b', 'c'}));
  EXPECT_EQ(tokens("none", 2), (std::vector<int32_t>{'a', 'b'}));
}

TEST_F(TokenizeCommand, AShareOfTheTokensIsHeldOut) {
  directory_.write("text.txt", std::string(100, 'x'));

  const CommandResult result = tokenize({path("text.txt"), "--out", path("t.bin"), "--eot", "none",
                                         "--val-fraction", "0.2", "--val-out", path("v.bin")});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(TokenSource::open_shards({path("t.bin")}).tokens(), 80);
  EXPECT_EQ(TokenSource::open_shards({path("v.bin")}).tokens(), 20);
}

TEST_F(TokenizeCommand, ASingleTokenDecodes) {
  directory_.write("text.txt", "x");
  tokenize({path("text.txt"), "--out", path("t.bin"), "--eot", "none"});

  EXPECT_EQ(tokenize({"--decode", path("t.bin")}).out, "x");
}

TEST_F(TokenizeCommand, WhatIsMissingIsNamed) {
  EXPECT_TRUE(is_input_error(weft({"tokenize", "x"}), {"--tokenizer"}));
  EXPECT_TRUE(is_input_error(tokenize({}), {"INPUT"}));
  EXPECT_TRUE(is_input_error(tokenize({"x"}), {"--out"}));
  EXPECT_TRUE(
      is_input_error(tokenize({"x", "--out", "y", "--val-fraction", "0.1"}), {"--val-out"}));
  EXPECT_TRUE(is_input_error(tokenize({path("absent"), "--out", path("y")}), {"absent"}));
  EXPECT_TRUE(is_input_error(tokenize({"x", "--out", path("no/y")}), {"--out"}));
}

TEST_F(TokenizeCommand, AShardOfAnotherVocabularyIsRefused) {
  const std::vector<Token> tokens = {1, 300};
  write_token_shard(path("t.bin"), tokens);

  EXPECT_TRUE(is_input_error(tokenize({"--decode", path("t.bin")}), {"300", "257"}));
}

TEST_F(TokenizeCommand, InspectKnowsShards) {
  const std::vector<Token> tokens = {1, 300, 7};
  write_token_shard(path("t.bin"), tokens);

  const CommandResult whole = weft({"inspect", path("t.bin")});
  std::filesystem::resize_file(path("t.bin"), 1026);
  const CommandResult truncated = weft({"inspect", path("t.bin")});

  EXPECT_EQ(whole.status, 0) << whole.err;
  EXPECT_TRUE(mentions(whole.out, {"token shard", "3", "300", "whole"}));
  EXPECT_TRUE(is_input_error(truncated, {"truncated"}));
}

TEST_F(TokenizeCommand, StoriesGoToStandardOutputOrAFile) {
  const CommandResult shown = weft({"stories", "--bytes", "3000", "--seed", "5"});
  const CommandResult saved =
      weft({"stories", "--bytes", "3000", "--seed", "5", "--out", path("stories.txt")});

  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_EQ(shown.out, write_stories(3000, 5));
  EXPECT_EQ(saved.out, "");
  EXPECT_EQ(read_file(path("stories.txt")), shown.out);
}

}  // namespace
}  // namespace weft
