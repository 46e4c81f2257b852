#include "app/weft_command.h"
#include "data/token_source.h"
#include "data/tokenizer.h"

namespace weft {
namespace {

class TokenizerCommand : public WeftCommand {
 protected:
  CommandResult train(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"tokenizer", "train"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return weft(arguments);
  }
};

TEST_F(TokenizerCommand, TrainsWhatEveryOtherCommandOpens) {
  write_text("text.txt", 20'000);

  const CommandResult result =
      train({path("text.txt"), "--vocab-size", "270", "--out", path("new/tokenizer")});

  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.err, {"270 tokens", "20.0 kB"}));
  const auto tokenizer = open_tokenizer(path("new/tokenizer"));
  EXPECT_EQ(tokenizer->vocabulary_size(), 270);
  EXPECT_EQ(tokenizer->end_of_text(), 269);
  for (const char* name : {"vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json",
                           "special_tokens_map.json"}) {
    EXPECT_TRUE(std::filesystem::exists(path("new/tokenizer") + "/" + name)) << name;
  }
  const std::string text = read_file(path("text.txt"));
  EXPECT_LT(tokenizer->encode(text).size(), text.size() / 2);
  EXPECT_TRUE(tokenizer->decode(tokenizer->encode(text)) == text);
}

TEST_F(TokenizerCommand, ThreadsDoNotChangeTheTokenizer) {
  const std::string text = write_text("text.txt", 20'000);

  train({text, "--vocab-size", "280", "--out", path("one"), "--threads", "1"});
  train({text, "--vocab-size", "280", "--out", path("three"), "--threads", "3"});

  EXPECT_EQ(read_file(path("one/tokenizer.json")), read_file(path("three/tokenizer.json")));
}

TEST_F(TokenizerCommand, TakesTheTextFilesBelowADirectory) {
  std::filesystem::create_directories(path("texts/deep"));
  directory_.write("texts/deep/a.txt", "abab");
  directory_.write("texts/b.txt", "abab");
  directory_.write("texts/c.bin", "cdcdcdcd");

  const CommandResult result = train({path("texts"), "--vocab-size", "258", "--out", path("out")});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(open_tokenizer(path("out"))->decode(Token{256}), "ab");
}

TEST_F(TokenizerCommand, LearnsFromTheTextsOfJsonLinesAndNotFromTheirKeys) {
  const std::string text = directory_.write("t.jsonl", R"({"text": "abab"}
{"text": "abab"}
)");
  const std::string story = directory_.write("s.txt", R"({"story": "cdcd", "text": "abababab"})");

  EXPECT_EQ(train({text, "--vocab-size", "258", "--out", path("a")}).status, 0);
  EXPECT_EQ(train({story, "--field", "story", "--vocab-size", "258", "--out", path("b")}).status,
            0);

  EXPECT_EQ(open_tokenizer(path("a"))->decode(Token{256}), "ab");
  EXPECT_EQ(open_tokenizer(path("b"))->decode(Token{256}), "cd");
}

TEST_F(TokenizerCommand, TokensAreNoText) {
  write_token_shard(path("t.bin"), std::vector<Token>{0, 1});

  EXPECT_TRUE(is_input_error(train({path("t.bin"), "--vocab-size", "258", "--out", path("out")}),
                             {"t.bin is a token shard, not text"}));
}

TEST_F(TokenizerCommand, SaysWhenTheTextYieldsFewerTokens) {
  const std::string text = write_text("text.txt", 500);

  const CommandResult result = train({text, "--vocab-size", "5000", "--out", path("out")});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.err, {"note: the text yields ", "not 5,000", "2 times"}));
  EXPECT_LT(open_tokenizer(path("out"))->vocabulary_size(), 300);
}

TEST_F(TokenizerCommand, ATokenizerIsReplacedOnlyByForce) {
  const std::string text = write_text();
  train({text, "--vocab-size", "258", "--out", path("out")});
  const auto again = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {text, "--vocab-size", "260", "--out", path("out")});
    return train(more);
  };

  EXPECT_TRUE(is_input_error(again({}), {"out holds a tokenizer already", "--force"}));
  EXPECT_EQ(open_tokenizer(path("out"))->vocabulary_size(), 258);
  EXPECT_EQ(again({"--force"}).status, 0);
  EXPECT_EQ(open_tokenizer(path("out"))->vocabulary_size(), 260);
}

TEST_F(TokenizerCommand, WhatIsWrongIsNamed) {
  const std::string text = write_text();
  const std::string out = path("out");
  std::filesystem::create_directories(path("none"));
  directory_.write("empty.txt", "");

  EXPECT_TRUE(is_input_error(train({}), {"INPUT", "give text files"}));
  EXPECT_TRUE(is_input_error(train({text, "--out", out}), {"--vocab-size", "50257"}));
  EXPECT_TRUE(is_input_error(train({text, "--vocab-size", "300"}), {"--out"}));
  EXPECT_TRUE(is_input_error(train({text, "--vocab-size", "256", "--out", out}), {"[257, 65536]"}));
  EXPECT_TRUE(
      is_input_error(train({text, "--vocab-size", "65537", "--out", out}), {"[257, 65536]"}));
  EXPECT_TRUE(is_input_error(train({path("absent"), "--vocab-size", "300", "--out", out}),
                             {"absent", "check the path"}));
  EXPECT_TRUE(is_input_error(train({path("none"), "--vocab-size", "300", "--out", out}),
                             {"none holds no .txt, .md or .jsonl file"}));
  EXPECT_TRUE(is_input_error(train({path("empty.txt"), "--vocab-size", "300", "--out", out}),
                             {"the text is empty"}));
  EXPECT_TRUE(is_input_error(train({text, "--vocab-sise", "300"}), {"--vocab-size?"}));
}

// llm.c's file: magic, version, two tokens, the second ends a text; then their lengths and bytes.
TEST_F(TokenizerCommand, LlmcsTokenizerDecodesAndSaysThatItCannotEncode) {
  const int32_t slots[256] = {20240328, 2, 2, 1};
  std::string file(reinterpret_cast<const char*>(slots), sizeof slots);
  directory_.write("gpt2_tokenizer.bin", file + "\x05hello\x01.");
  write_token_shard(path("t.bin"), std::vector<Token>{0, 1});
  const std::string tokenizer = path("gpt2_tokenizer.bin");

  const CommandResult decoded =
      weft({"tokenize", "--decode", path("t.bin"), "--tokenizer", tokenizer});
  const CommandResult encoded =
      weft({"tokenize", write_text(), "--tokenizer", tokenizer, "--out", path("x.bin")});

  EXPECT_EQ(decoded.out, "hello.");
  EXPECT_TRUE(is_input_error(encoded, {"can only decode", "merges.txt"}));
  EXPECT_TRUE(mentions(weft({"inspect", tokenizer}).out, {"llm.c", "2 tokens", "whole"}));
}

TEST_F(TokenizerCommand, HelpsAndNamesTheNearestCommand) {
  EXPECT_TRUE(mentions(weft({"tokenizer", "--help"}).out, {"train", "Usage", "For example"}));
  EXPECT_TRUE(mentions(train({"--help"}).out, {"--vocab-size", "--min-frequency", "--threads"}));
  EXPECT_TRUE(is_input_error(weft({"tokenizer"}), {"a command is missing", "--help"}));
  EXPECT_TRUE(is_input_error(weft({"tokenizer", "trian"}), {"trian", "did you mean train?"}));
  EXPECT_TRUE(is_input_error(weft({"tokenizer", "--hlep"}), {"flag --hlep", "--help?"}));
}

}  // namespace
}  // namespace weft
