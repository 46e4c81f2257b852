#include "data/llmc_tokenizer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "data/small_vocabulary.h"
#include "data/tokenizer.h"
#include "support/error_of.h"

namespace weft {
namespace {

using Ids = std::vector<Token>;

std::string header(std::vector<int32_t> slots) {
  slots.resize(256);
  std::string bytes(1024, '\0');
  std::memcpy(bytes.data(), slots.data(), bytes.size());
  return bytes;
}

std::string tokens(const std::vector<std::string>& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) bytes += static_cast<char>(token.size()) + token;
  return bytes;
}

constexpr int32_t kMagic = 20240328;

class LlmcTokenizerFile : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& bytes) const {
    return directory_.write("gpt2_tokenizer.bin", bytes);
  }
  std::string error(const std::string& bytes) const {
    const auto file = write(bytes);
    return error_of([&] { read_llmc_tokenizer(file); });
  }

  TempDirectory directory_;
  const std::string three_ = tokens({"a", "\xFF\x00", "<|endoftext|>"});
};

TEST_F(LlmcTokenizerFile, OfVersion2NamesItsEndOfText) {
  const auto file = write(header({kMagic, 2, 3, 2}) + tokens({"a", "\xFF\n", "<|endoftext|>"}));

  const LlmcTokenizer tokenizer = read_llmc_tokenizer(file);

  EXPECT_EQ(tokenizer.tokens, (std::vector<std::string>{"a", "\xFF\n", "<|endoftext|>"}));
  EXPECT_EQ(tokenizer.end_of_text, 2);
}

TEST_F(LlmcTokenizerFile, OfVersion1EndsTextAsGpt2Does) {
  const std::vector<std::string> many(50257, "x");

  EXPECT_EQ(read_llmc_tokenizer(write(header({kMagic, 1, 50257}) + tokens(many))).end_of_text,
            50256);
  EXPECT_TRUE(mentions(error(header({kMagic, 1, 3}) + three_), {"token 50256, and has 3 tokens"}));
}

TEST_F(LlmcTokenizerFile, DecodesAndSaysWhatCanEncode) {
  const auto file = write(header({kMagic, 2, 3, 2}) + tokens({"a", "bc", "<|endoftext|>"}));
  const auto tokenizer = open_tokenizer(file.string());

  EXPECT_EQ(tokenizer->vocabulary_size(), 3);
  EXPECT_EQ(tokenizer->end_of_text(), 2);
  EXPECT_EQ(tokenizer->decode(Ids{1, 0}), "bca");
  EXPECT_TRUE(tokenizer->files(1024).empty());
  EXPECT_TRUE(mentions(error_of([&] { tokenizer->encode("a"); }),
                       {"gpt2_tokenizer.bin can only decode", "merges.txt", "tokenizer.json"}));
}

TEST_F(LlmcTokenizerFile, IsRefusedWhenItsHeaderIsWrong) {
  EXPECT_TRUE(mentions(error(header({7, 2, 3, 2}) + three_), {"magic number 7", "20240328"}));
  EXPECT_TRUE(mentions(error(header({kMagic, 3, 3, 2}) + three_), {"version 3", "1 and 2"}));
  EXPECT_TRUE(mentions(error(header({kMagic, 2, 0, 0})), {"0 tokens"}));
  EXPECT_TRUE(mentions(error(header({kMagic, 2, -1, 0})), {"-1 tokens"}));
  EXPECT_TRUE(mentions(error(header({kMagic, 2, 65537, 0})), {"65537 tokens", "65536"}));
  EXPECT_TRUE(mentions(error(header({kMagic, 2, 3, 3}) + three_), {"end of text is token 3"}));
  EXPECT_TRUE(mentions(error(header({kMagic, 2, 3, -1}) + three_), {"end of text is token -1"}));
}

TEST_F(LlmcTokenizerFile, IsRefusedWhenItIsCutAnywhereOrGoesOn) {
  const std::string whole = header({kMagic, 2, 3, 2}) + tokens({"a", "bc", "<|endoftext|>"});
  for (size_t bytes = 12; bytes < whole.size(); ++bytes) {
    ASSERT_TRUE(mentions(error(whole.substr(0, bytes)), {"is truncated"})) << bytes;
  }
  EXPECT_TRUE(mentions(error(""), {"magic number 0"}));
  EXPECT_TRUE(mentions(error(whole + "x"), {"1 bytes after its 3 tokens"}));
  EXPECT_TRUE(
      mentions(error(header({kMagic, 2, 2, 1}) + tokens({"a", ""})), {"token without bytes: 1"}));
}

TEST_F(LlmcTokenizerFile, IsKnownByItsFirstBytes) {
  EXPECT_TRUE(is_llmc_tokenizer(write(header({kMagic, 9}))));
  EXPECT_FALSE(is_llmc_tokenizer(write(header({20240520, 1}))));
  EXPECT_FALSE(is_llmc_tokenizer(write("")));
  EXPECT_FALSE(is_llmc_tokenizer(directory_.path()));
  EXPECT_FALSE(is_llmc_tokenizer(directory_ / "absent"));
}

}  // namespace
}  // namespace weft
