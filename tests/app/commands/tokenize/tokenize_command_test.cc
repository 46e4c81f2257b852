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

TEST_F(TokenizeCommand, SaysWhatItWroteOnStandardOutput) {
  directory_.write("a.txt", "four");
  directory_.write("b.txt", "four");

  const CommandResult result = tokenize({path("a.txt"), path("b.txt"), "--out", path("t.bin"),
                                         "--shard-tokens", "6", "--threads", "2"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, path("t_000000.bin") + ": 6 tokens\n" + path("t_000001.bin") +
                            ": 4 tokens\n10 tokens in 2 documents\n");
  EXPECT_TRUE(mentions(result.err, {"MB/s"}));
}

TEST_F(TokenizeCommand, ShardsTrainEvaluateAndDecodeAsAGlob) {
  write_text();
  tokenize({path("text.txt"), "--eot", "none", "--shard-tokens", "700", "--out", path("t.bin")});
  const std::string glob = path("t_??????.bin");

  const CommandResult back = tokenize({"--decode", glob});
  const CommandResult trained = weft({"train", "--data", glob, "--model", "L=1,NH=2,C=16,T=8,V=257",
                                      "--out", path("run"), "--steps", "2"});

  EXPECT_EQ(back.out, read_file(path("text.txt")));
  EXPECT_EQ(trained.status, 0) << trained.err;
  EXPECT_TRUE(mentions(trained.err, {"2,000 tokens to train on"}));
}

TEST_F(TokenizeCommand, ShardsOfAnEarlierRunAreNotMixedWithNewOnes) {
  directory_.write("text.txt", std::string(50, 'x'));
  const auto run = [&](const char* shard_tokens, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {path("text.txt"), "--out", path("t.bin"),
                                          "--shard-tokens", shard_tokens};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tokenize(arguments);
  };
  ASSERT_EQ(run("10").status, 0);

  EXPECT_TRUE(is_input_error(run("20"), {"--out", "6 shards are there already", "t_000000.bin",
                                         "t_000005.bin", "--force"}));
  EXPECT_EQ(run("100", {"--force"}).status, 0);

  EXPECT_EQ(TokenSource::open_shards({path("t*.bin")}).tokens(), 51);
  EXPECT_EQ(run("100").status, 0) << "one file is replaced as it always was";
}

TEST_F(TokenizeCommand, FoldersJsonLinesAndSeparatorsMakeDocuments) {
  std::filesystem::create_directory(path("corpus"));
  directory_.write("corpus/b.txt", "three\n--\nfour");
  directory_.write("corpus/a.jsonl", "{\"text\": \"one\"}\n\n{\"text\": \"t\\u0077o\"}\n");

  const CommandResult result = tokenize(
      {path("corpus"), "--separator", "\\n--\\n", "--out", path("t.bin"), "--eot", "after"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.out, {"19 tokens in 4 documents"}));
  EXPECT_EQ(tokenize({"--decode", path("t.bin")}).out, "onetwothreefour");
}

TEST_F(TokenizeCommand, EndOfTextInATextIsWhatTheFlagSays) {
  directory_.write("text.txt", "a<|endoftext|>b");
  const auto run = [&](const char* special) {
    return tokenize(
        {path("text.txt"), "--out", path("t.bin"), "--eot", "none", "--special-tokens", special});
  };

  EXPECT_TRUE(mentions(run("ordinary").out, {"15 tokens"}));
  EXPECT_TRUE(mentions(run("recognise").out, {"3 tokens"}));
  const CommandResult refused = run("refuse");
  EXPECT_EQ(refused.status, 2);
  EXPECT_TRUE(mentions(refused.err, {"text.txt holds <|endoftext|>", "--special-tokens"}));
}

TEST_F(TokenizeCommand, AMalformedLineIsNamedAndNothingIsWritten) {
  directory_.write("a.jsonl", "{\"text\": \"one\"}\n{\"body\": \"two\"}\n");
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {path("a.jsonl"), "--out", path("t.bin")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tokenize(arguments);
  };

  const std::vector<CommandResult> failures = {run({}), run({"--field", "body"})};

  EXPECT_EQ(failures[0].status, 2);
  EXPECT_TRUE(mentions(failures[0].err, {"a.jsonl, line 2", "no field \"text\"", "--field"}));
  EXPECT_TRUE(mentions(failures[1].err, {"a.jsonl, line 1", "no field \"body\""}));
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    EXPECT_EQ(entry.path().filename(), "a.jsonl");
  }
}

TEST_F(TokenizeCommand, HeaderlessTokensGoThereAndBack) {
  const std::string text = read_file(write_text());
  const std::vector<std::string> raw = {"--data-format", "raw-u16"};

  tokenize({path("text.txt"), "--eot", "none", "--out", path("t.bin"), raw[0], raw[1]});
  const CommandResult back = tokenize({"--decode", path("t.bin"), raw[0], raw[1]});
  const CommandResult trained =
      weft({"train", "--data", path("t.bin"), raw[0], raw[1], "--model", "L=1,NH=2,C=16,T=8,V=257",
            "--out", path("run"), "--steps", "2"});
  const CommandResult evaluated =
      weft({"eval", "--model", path("run"), "--data", path("t.bin"), raw[0], raw[1]});

  EXPECT_EQ(std::filesystem::file_size(path("t.bin")), 4000u);
  EXPECT_EQ(back.out, text);
  EXPECT_EQ(trained.status, 0) << trained.err;
  EXPECT_EQ(evaluated.status, 0);
  EXPECT_TRUE(mentions(evaluated.err, {"on 2,000 tokens"}));
}

TEST_F(TokenizeCommand, TheFormatsOfTokenFilesAreNotMistakenForEachOther) {
  write_text();
  tokenize({path("text.txt"), "--out", path("shard.bin")});
  tokenize({path("text.txt"), "--out", path("raw.bin"), "--data-format", "raw-u16"});
  const std::vector<std::string> train = {"train",     "--model", "L=1,NH=2,C=16,T=8,V=65536",
                                          "--steps",   "1",       "--out",
                                          path("run"), "--data"};
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), train.begin(), train.end());
    return weft(more);
  };

  EXPECT_TRUE(is_input_error(run({path("raw.bin")}), {"raw.bin", "--data-format raw-u16"}));
  const CommandResult junk = run({path("shard.bin"), "--data-format", "raw-u16"});
  EXPECT_EQ(junk.status, 0);
  EXPECT_TRUE(mentions(junk.err, {"warning: ", "shard.bin", "512 junk tokens"}));
}

TEST_F(TokenizeCommand, TheInputIsNeverOverwritten) {
  directory_.write("text.txt", "precious");

  EXPECT_TRUE(is_input_error(tokenize({path("text.txt"), "--out", path("text.txt")}),
                             {"--out would overwrite the input", "text.txt"}));
  EXPECT_TRUE(is_input_error(tokenize({path("text.txt"), "--out", "/dev/null"}),
                             {"/dev/null is no regular file"}));
  EXPECT_TRUE(is_input_error(tokenize({path("text.txt"), "--out", path("t"), "--val-fraction", ".1",
                                       "--val-out", path("t_000003")}),
                             {"--out and --val-out"}));
  EXPECT_EQ(read_file(path("text.txt")), "precious");
}

TEST_F(TokenizeCommand, StopsOnASignalAndLeavesNothing) {
  write_text("text.txt", 300'000'000);
  Command command(WeftCommand::command({"tokenize", path("text.txt"), "--tokenizer", "bytes",
                                        "--threads", "1", "--out", path("t.bin")}),
                  Command::Stderr::kTerminal);

  ASSERT_TRUE(command.wait_for_stderr("MB/s"));
  command.send(SIGINT);
  const CommandResult result = command.finish();

  EXPECT_EQ(result.status, 130);
  EXPECT_TRUE(
      mentions(result.err, {"eta", "weft: stopping; the same", "stopped: nothing was written"}));
  std::filesystem::remove(path("text.txt"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
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
  EXPECT_TRUE(is_input_error(tokenize({"x", "--out", "y", "--separator", "\\q"}),
                             {"--separator \\q", "unknown escape", "\\n"}));
  EXPECT_TRUE(is_input_error(tokenize({"x", "--out", "y", "--separator", "a\\"}), {"escape"}));
  EXPECT_TRUE(is_input_error(tokenize({"x", "--out", "y", "--keep-separator"}), {"--separator"}));
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
