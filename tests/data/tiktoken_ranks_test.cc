#include "data/tiktoken_ranks.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/files.h"
#include "data/small_vocabulary.h"
#include "data/tokenizer.h"
#include "data/vocabulary_files.h"
#include "support/base64.h"
#include "support/error_of.h"

namespace weft {
namespace {

std::string line(std::string_view token, size_t rank) {
  return base64(token) + " " + std::to_string(rank) + "\n";
}

class TiktokenRanks : public testing::Test {
 protected:
  TiktokenRanks() {
    SmallVocabulary().write(directory_);
    small_ = read_vocabulary(find_vocabulary(directory_.path()).value());
    for (size_t id = 0; id + 1 < small_.tokens.size(); ++id) ranks_ += line(small_.tokens[id], id);
  }
  BpeVocabulary read(const std::string& text) const {
    return read_tiktoken_ranks(directory_.write("small.tiktoken", text));
  }
  std::string error(const std::string& text) const {
    return error_of([&] { read(text); });
  }
  // The error if this line follows 266 valid ones.
  std::string error_after(const std::string& last_line) const { return error(ranks_ + last_line); }

  TempDirectory directory_;
  BpeVocabulary small_;
  std::string ranks_;
};

TEST_F(TiktokenRanks, GiveTheMergesThatTheyWereMadeFrom) {
  const BpeVocabulary vocabulary = read(ranks_);

  EXPECT_EQ(vocabulary.tokens, small_.tokens);
  EXPECT_EQ(vocabulary.merges, small_.merges);
  EXPECT_EQ(vocabulary.end_of_text, 266);
}

TEST_F(TiktokenRanks, MayComeInAnyOrderAndWithoutALastNewline) {
  const size_t cut = ranks_.find("\n", ranks_.size() / 2) + 1;
  std::string turned = ranks_.substr(cut) + ranks_.substr(0, cut);
  turned.pop_back();

  EXPECT_EQ(read(turned).merges, small_.merges);
}

TEST_F(TiktokenRanks, AreRefusedWhereALineIsNoTokenAndRank) {
  EXPECT_TRUE(mentions(error_after("aGVs"), {"line 267", "not a token in base64"}));
  EXPECT_TRUE(mentions(error_after("aGV 266"), {"line 267", "not a token in base64"}));
  EXPECT_TRUE(mentions(error_after("aG=s 266"), {"line 267", "not a token in base64"}));
  EXPECT_TRUE(mentions(error_after("aGV* 266"), {"line 267", "not a token in base64"}));
  EXPECT_TRUE(mentions(error_after("aGU\xFF 266"), {"line 267", "not a token in base64"}));
  EXPECT_TRUE(mentions(error_after("QR== 266"), {"line 267", "not a token in base64"}));
  EXPECT_TRUE(mentions(error_after(" 266"), {"line 267", "not a token in base64"}));
  EXPECT_TRUE(mentions(error_after("\n"), {"line 267", "not a token in base64"}));
  EXPECT_TRUE(mentions(error_after("aGVs x"), {"line 267", "rank \"x\" is no whole number"}));
  EXPECT_TRUE(mentions(error_after("aGVs -1"), {"line 267", "rank \"-1\""}));
  EXPECT_TRUE(mentions(error_after("aGVs 1 "), {"line 267", "rank \"1 \""}));
  EXPECT_TRUE(mentions(error_after("aGVs 99999999999999999999"), {"line 267", "rank"}));
}

TEST_F(TiktokenRanks, AreRefusedUnlessEveryRankAndTokenIsThereOnce) {
  EXPECT_TRUE(mentions(error_after(line("hel", 7)), {"id 7 occurs twice"}));
  EXPECT_TRUE(mentions(error_after(line("hel", 268)), {"has id 268", "only 268 tokens"}));
  EXPECT_TRUE(mentions(error_after(line("hello", 266)), {"a token occurs twice"}));
  EXPECT_TRUE(mentions(error_after(line("<|endoftext|>", 266)), {"a token occurs twice"}));
  EXPECT_TRUE(mentions(error(""), {"single byte 0x00"}));
  EXPECT_TRUE(mentions(error(line("!", 0)), {"single byte 0x00"}));
}

TEST_F(TiktokenRanks, AreRefusedWhereATokenIsNotMadeOfTwo) {
  EXPECT_TRUE(mentions(error_after(line("xyz", 266)), {"token 266 (\"xyz\")", "two tokens"}));
}

TEST_F(TiktokenRanks, AreRefusedAboveTheTokensThat16BitsCount) {
  std::string many;
  for (size_t rank = 0; rank < 65'536; ++rank) many += line(std::to_string(rank), rank);

  EXPECT_TRUE(mentions(error(many), {"more than 65536 tokens"}));
}

// The file that tiktoken downloads has SHA-256
// 306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930 and the same lines as those made
// here.
TEST_F(TiktokenRanks, OfGpt2GiveOpenAisMerges) {
  const char* data = std::getenv("WEFT_SHARED_DATA");
  if (data == nullptr) GTEST_SKIP() << "WEFT_SHARED_DATA is not set";
  const auto directory = std::filesystem::path(data) / "gpt2_bpe";
  const BpeVocabulary gpt2 = read_vocabulary(find_vocabulary(directory).value());
  std::string ranks;
  for (size_t id = 0; id + 1 < gpt2.tokens.size(); ++id) ranks += line(gpt2.tokens[id], id);

  const BpeVocabulary vocabulary = read(ranks);

  EXPECT_TRUE(vocabulary.tokens == gpt2.tokens);
  EXPECT_TRUE(vocabulary.merges == gpt2.merges);
  EXPECT_EQ(vocabulary.end_of_text, 50256);
}

}  // namespace
}  // namespace weft
