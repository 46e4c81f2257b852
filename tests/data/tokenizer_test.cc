#include "data/tokenizer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <random>
#include <string>

#include "base/files.h"
#include "data/small_vocabulary.h"
#include "support/error_of.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using std::string_literals::operator""s;
using Ids = std::vector<Token>;

std::string random_bytes(size_t bytes) {
  std::mt19937 random(1);
  std::string text(bytes, ' ');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST(ByteTokenizer, EncodesEachByteAsItself) {
  const auto tokenizer = open_tokenizer("bytes");

  EXPECT_EQ(tokenizer->vocabulary_size(), 257);
  EXPECT_EQ(tokenizer->end_of_text(), 256);
  EXPECT_EQ(tokenizer->name(), "bytes");
  EXPECT_TRUE(tokenizer->files(1024).empty());
  EXPECT_EQ(tokenizer->encode("a\0\xFF"s), (Ids{97, 0, 255}));
  EXPECT_EQ(tokenizer->decode(Ids{97, 0, 256, 255}), "a\0\xFF"s) << "end of text is no byte";
}

class SmallBpe : public testing::Test {
 protected:
  SmallBpe() { SmallVocabulary().write(directory_); }

  TempDirectory directory_;
};

TEST_F(SmallBpe, MergesWithinPieces) {
  const auto tokenizer = open_tokenizer(directory_.path());

  EXPECT_EQ(tokenizer->encode(""), Ids{});
  EXPECT_EQ(tokenizer->encode("hello world"), (Ids{259, 264}));
  EXPECT_EQ(tokenizer->encode(" hello"), (Ids{220, 259}));
  EXPECT_EQ(tokenizer->encode("hellworld"), (Ids{258, 86, 262, 67}));
  EXPECT_EQ(tokenizer->encode("hello   world\n\n"), (Ids{259, 220, 220, 264, 198, 198}));
  EXPECT_EQ(tokenizer->encode("he'll aaa"), (Ids{256, 6, 257, 220, 265, 64}));
}

TEST_F(SmallBpe, KnowsItsVocabulary) {
  const auto tokenizer = open_tokenizer(directory_ / "merges.txt");

  EXPECT_EQ(tokenizer->vocabulary_size(), 267);
  EXPECT_EQ(tokenizer->end_of_text(), 266);
  EXPECT_EQ(tokenizer->name(), "GPT-2 BPE (267 tokens)");
  EXPECT_EQ(tokenizer->decode(Token{264}), " world");
  EXPECT_EQ(tokenizer->decode(Token{266}), "<|endoftext|>");
}

TEST_F(SmallBpe, TakesEndOfTextInTextForCharactersUnlessAskedToRecogniseIt) {
  const auto tokenizer = open_tokenizer(directory_.path());
  const std::string text = "hello <|endoftext|><|endoftext|> world";

  const Ids ordinary = tokenizer->encode(text);
  const Ids recognised = tokenizer->encode(text, SpecialTokens::kRecognise);

  EXPECT_EQ(ordinary.size(), 1 + 1 + 13 + 13 + 1u);
  EXPECT_EQ(tokenizer->decode(ordinary), text);
  EXPECT_EQ(recognised, (Ids{259, 220, 266, 266, 264}));
  EXPECT_EQ(tokenizer->decode(recognised), text);
}

TEST_F(SmallBpe, RefusesEndOfTextInTextWithItsOffsetWhenAsked) {
  const auto tokenizer = open_tokenizer(directory_.path());

  const auto refuse = [&](const char* text) {
    return tokenizer->encode(text, SpecialTokens::kRefuse);
  };

  EXPECT_EQ(refuse("hello <|endoftext>"), tokenizer->encode("hello <|endoftext>"));
  EXPECT_TRUE(mentions(error_of([&] { refuse("hello <|endoftext|>"); }),
                       {"<|endoftext|> at byte 6", "ordinary", "recognise"}));
}

TEST(ByteTokenizer, RecognisesEndOfTextWhenAsked) {
  EXPECT_EQ(make_byte_tokenizer()->encode("a<|endoftext|>b", SpecialTokens::kRecognise),
            (Ids{97, 256, 98}));
}

TEST_F(SmallBpe, AcceptsAnyBytesAndGivesThemBack) {
  const auto tokenizer = open_tokenizer(directory_.path());
  const std::string noise = random_bytes(10'007);

  EXPECT_EQ(tokenizer->encode("\xFF\x80he\xC3"s), (Ids{187, 222, 256, 127}));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(noise)), noise);
}

TEST_F(SmallBpe, ReopensFromItsFiles) {
  const auto tokenizer = open_tokenizer(directory_.path());
  const TempDirectory copy;
  for (const auto& [name, content] : tokenizer->files(1024)) copy.write(name, content);

  const auto again = open_tokenizer(copy.path());

  EXPECT_EQ(again->encode("hello world, aaa"), tokenizer->encode("hello world, aaa"));
  EXPECT_EQ(again->files(1024), tokenizer->files(1024));
  EXPECT_TRUE(mentions(read_file(copy / "tokenizer_config.json"), {"\"model_max_length\": 1024"}));
  EXPECT_TRUE(fs::exists(copy / "special_tokens_map.json"));
}

TEST_F(SmallBpe, EncodesFromManyThreadsAtOnce) {
  const auto tokenizer = open_tokenizer(directory_.path());
  const std::string noise = random_bytes(10'007);
  const Ids expected = tokenizer->encode(noise);

  const auto encode = [&] { return tokenizer->encode(noise); };
  auto first = std::async(std::launch::async, encode);
  auto second = std::async(std::launch::async, encode);

  EXPECT_EQ(first.get(), expected);
  EXPECT_EQ(second.get(), expected);
}

// GPT-2's own vocabulary, which the repository does not hold.
class Gpt2Bpe : public testing::Test {
 protected:
  void SetUp() override {
    const char* directory = std::getenv("WEFT_SHARED_DATA");
    if (directory == nullptr) GTEST_SKIP() << "WEFT_SHARED_DATA is not set";
    data_ = directory;
    if (!fs::exists(data_ / "gpt2_bpe")) GTEST_SKIP() << "no gpt2_bpe in " << data_;
    tokenizer_ = open_tokenizer(data_ / "gpt2_bpe");
  }

  fs::path data_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

struct TestVector {
  std::string text;
  Ids ids;
};

const TestVector kPublished[] = {
    // tiktoken, tests/test_encoding.py
    {"", {}},
    {"hello world", {31373, 995}},
    {"hello ", {31373, 220}},
    {"0", {15}},
    {"00", {405}},
    {"000", {830}},
    {"0000", {2388}},
    {"00000", {20483}},
    {"000000", {10535}},
    {"0000000", {24598}},
    {"00000000", {8269}},
    {"000000000", {10535, 830}},
    {"0000000000000000", {25645}},
    {"00000000000000000", {8269, 10535, 830}},
    // llama.cpp, models/ggml-vocab-gpt-2.gguf.inp and .out
    {"ied 4 ½ months", {798, 604, 25208, 1933}},
    {"Führer", {37, 9116, 71, 11751}},
    {" ", {220}},
    {"  ", {220, 220}},
    {"   ", {220, 220, 220}},
    {"\t", {197}},
    {"\n", {198}},
    {"\n\n", {628}},
    {"\n\n\n", {628, 198}},
    {"\t\n", {197, 198}},
    {"Hello world", {15496, 995}},
    {" Hello World!", {18435, 2159, 0}},
    {"Hello, world!", {15496, 11, 995, 0}},
    {" this is 🦙.cpp", {428, 318, 12520, 99, 247, 13, 20322}},
    {"w048 7tuijk dsdfhu", {86, 47202, 767, 28047, 45961, 288, 82, 7568, 13415}},
    {"нещо на Български", {22177, 16843, 141,   231, 15166, 12466, 121,   16142, 12466, 239,
                           141,   232,   30143, 140, 111,   16142, 21169, 21727, 31583, 18849}},
    {"    Hello", {220, 220, 220, 18435}},
    {"    Hello\n    Hello", {220, 220, 220, 18435, 198, 220, 220, 220, 18435}},
    {" (", {357}},
    {"\n =", {198, 796}},
    {"' era", {6, 6980}},
    {"33333", {2091, 20370}},
    {"3333333", {24840, 20370}},
    {"333333333", {24840, 2091, 20370}},
    {"Hello, y'all! How are you 😁 ?我想在apple工作1314151天～",
     {15496, 11,    331, 6,     439,   0,  1374,  389,  345,  30325, 223,   5633, 22755, 239, 46349,
      111,   28839, 101, 18040, 32432, 98, 43291, 1485, 1415, 24309, 25465, 171,  121,   252}},
    // GPT-3-Encoder, Encoder.test.js
    {"This is some text", {1212, 318, 617, 2420}},
    {"indivisible", {521, 452, 12843}},
    {"hello 👋 world 🌍", {31373, 50169, 233, 995, 12520, 234, 235}},
    {"toString constructor hasOwnProperty valueOf",
     {1462, 10100, 23772, 468, 23858, 21746, 1988, 5189}},
};

// Computed from the same vocabulary and GPT-2's regular expression, because no published test has
// them.
const TestVector kDerived[] = {
    {"<|endoftext|>", {27, 91, 437, 1659, 5239, 91, 29}},
    {"don't", {9099, 470}},
    {"DON'T", {41173, 6, 51}},
    {" 's", {705, 82}},
    {"\r\n", {201, 198}},
    {"x \n\n y", {87, 220, 628, 331}},
    {"e\u0301", {68, 136, 223}},
    {"a\u00a0b", {64, 1849, 65}},
    {"\u200b", {9525}},
    {"Ⅷ²½", {158, 227, 100, 31185, 23141}},
    {"    if x:\n        return",
     {220, 220, 220, 611, 2124, 25, 198, 220, 220, 220, 220, 220, 220, 220, 1441}},
    {"\x1c\x1d", {216, 217}},
    {std::string(100, ' '), Ids(100, 220)},
};

TEST_F(Gpt2Bpe, GivesThePublishedIds) {
  for (const auto& [text, ids] : kPublished) {
    EXPECT_EQ(tokenizer_->encode(text), ids) << text;
    EXPECT_EQ(tokenizer_->decode(ids), text);
  }
}

TEST_F(Gpt2Bpe, GivesTheDerivedIds) {
  for (const auto& [text, ids] : kDerived) {
    EXPECT_EQ(tokenizer_->encode(text), ids) << text;
    EXPECT_EQ(tokenizer_->decode(ids), text);
  }
}

TEST_F(Gpt2Bpe, HasGpt2sVocabulary) {
  EXPECT_EQ(tokenizer_->vocabulary_size(), 50257);
  EXPECT_EQ(tokenizer_->end_of_text(), 50256);
  EXPECT_EQ(tokenizer_->decode(Token{50256}), "<|endoftext|>");
  EXPECT_EQ(tokenizer_->name(), "GPT-2 BPE (50257 tokens)");
}

TEST_F(Gpt2Bpe, WritesOpenAisFilesByteForByte) {
  const auto files = tokenizer_->files(1024);

  EXPECT_EQ(files.at(0).first, "vocab.json");
  EXPECT_TRUE(files.at(0).second == read_file(data_ / "gpt2_bpe" / "encoder.json"));
  EXPECT_EQ(files.at(1).first, "merges.txt");
  EXPECT_TRUE(files.at(1).second == read_file(data_ / "gpt2_bpe" / "vocab.bpe"));
}

TEST_F(Gpt2Bpe, MakesTinyshakespeare338025TokensAndBack) {
  if (!fs::exists(data_ / "tinyshakespeare.txt")) GTEST_SKIP() << "no tinyshakespeare.txt";
  const std::string text = read_file(data_ / "tinyshakespeare.txt");

  const Ids ids = tokenizer_->encode(text);

  EXPECT_EQ(ids.size(), 338'025u);
  EXPECT_TRUE(tokenizer_->decode(ids) == text);
}

TEST_F(Gpt2Bpe, GivesNoiseAndAMegabyteOfOneLetterBack) {
  for (const std::string& text : {random_bytes(100'003), std::string(1 << 20, 'a')}) {
    EXPECT_TRUE(tokenizer_->decode(tokenizer_->encode(text)) == text);
  }
}

}  // namespace
}  // namespace weft
