#include "run/dataset.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data/small_vocabulary.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

// The whole stream.
std::vector<int32_t> tokens_of(const TokenSource& source) {
  const auto n = static_cast<size_t>(source.tokens());
  std::vector<int32_t> inputs(n - 1), targets(n - 1);
  source.sample(0, inputs, targets);
  inputs.push_back(targets.back());
  return inputs;
}

std::vector<int32_t> bytes_of(const std::string& text) {
  std::vector<int32_t> bytes;
  for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
  return bytes;
}

std::string text_of(size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text += static_cast<char>('a' + i * i % 26);
  return text;
}

std::string write_shard(const TempDirectory& dir, const char* name,
                        const std::vector<Token>& tokens) {
  const std::string path = dir / name;
  write_token_shard(path, tokens);
  return path;
}

std::string open_error(const std::vector<std::string>& data, const std::vector<std::string>& val) {
  return error_of([&] { open_dataset(data, val, nullptr); });
}

TEST(Dataset, HoldsOutTheLastTenthOfAText) {
  const TempDirectory dir;
  const std::string text = text_of(107);

  const Dataset dataset = open_dataset({dir.write("text.txt", text)}, {}, nullptr);

  EXPECT_EQ(tokens_of(dataset.train), bytes_of(text.substr(0, 97)));
  ASSERT_TRUE(dataset.val.has_value());
  EXPECT_EQ(tokens_of(*dataset.val), bytes_of(text.substr(97)));
}

TEST(Dataset, TextWithoutATokenizerIsTheUsersToName) {
  const TempDirectory dir;
  const std::string text = dir.write("text.txt", "text");

  EXPECT_TRUE(mentions(error_of([&] { open_tokens({text}, nullptr); }),
                       {"text.txt is text, and there is no tokenizer", "--tokenizer"}));
}

TEST(Dataset, SaysThatWhatIsHeldOutIsTooShort) {
  const TempDirectory dir;
  const Dataset dataset = open_dataset({dir.write("text.txt", text_of(107))}, {}, nullptr);

  EXPECT_EQ(error_of([&] { check_lengths(dataset, 9); }), "");
  EXPECT_TRUE(mentions(error_of([&] { check_lengths(dataset, 10); }),
                       {"last 10 % of the text", "held out", "10 tokens", "one sequence of 10",
                        "needs 11", "--val", "more text", "--seq-len"}));
}

TEST(Dataset, NeedsASequenceOfEveryPart) {
  const TempDirectory dir;
  const std::string longer = dir.write("long.txt", text_of(50));
  const std::string shorter = dir.write("short.txt", text_of(20));
  const auto length_error = [&](const std::string& data, const std::string& val) {
    return error_of([&] { check_lengths(open_dataset({data}, {val}, nullptr), 30); });
  };

  EXPECT_EQ(length_error(longer, longer), "");
  for (const std::string& message :
       {length_error(longer, shorter), length_error(shorter, longer)}) {
    EXPECT_TRUE(mentions(message, {"20 tokens are too few", "30"}));
    EXPECT_EQ(message.find("held out"), message.npos);
  }
}

TEST(Dataset, TakesFoldersAndJsonLines) {
  const TempDirectory dir;
  std::filesystem::create_directory(dir / "corpus");
  dir.write("corpus/a.jsonl", "{\"text\": \"one\"}\n{\"text\": \"two\"}\n");
  dir.write("corpus/b.md", "three");
  const std::string corpus = dir / "corpus";

  const Dataset dataset = open_dataset({corpus}, {corpus}, nullptr);

  std::vector<int32_t> expected = bytes_of("one?two?three");
  expected[3] = expected[7] = 256;
  EXPECT_EQ(tokens_of(dataset.train), expected);
}

TEST(Dataset, ReadsHeaderlessTokensWhereTheFormatSaysSo) {
  const TempDirectory dir;
  const std::string raw = dir.write("train.bin", std::string("\1\0\2\0\3\1", 6));

  const Dataset dataset = open_dataset({raw}, {raw}, nullptr, TokenFormat::kRawU16);

  EXPECT_EQ(tokens_of(dataset.train), (std::vector<int32_t>{1, 2, 259}));
  EXPECT_EQ(tokens_of(dataset.val.value()), (std::vector<int32_t>{1, 2, 259}));
  EXPECT_EQ(dataset.tokenizer, nullptr);
  EXPECT_TRUE(mentions(open_error({raw}, {}), {"--data-format raw-u16"}));
}

TEST(Dataset, HoldsOutNothingWhereValidationTextIsGiven) {
  const TempDirectory dir;
  const std::string train = text_of(107), val = "held out by the user";

  const Dataset dataset =
      open_dataset({dir.write("train.txt", train)}, {dir.write("val.txt", val)}, nullptr);

  EXPECT_EQ(tokens_of(dataset.train), bytes_of(train));
  EXPECT_EQ(tokens_of(dataset.val.value()), bytes_of(val));
}

TEST(Dataset, ReadsTextAsBytesUnlessATokenizerIsGiven) {
  const TempDirectory dir;
  SmallVocabulary().write(dir);
  const std::string path = dir.write("text.txt", "hello world");
  const std::shared_ptr<const Tokenizer> bpe = open_tokenizer(dir.path());

  EXPECT_EQ(open_dataset({path}, {}, nullptr).tokenizer->name(), "bytes");
  const Dataset dataset = open_dataset({path}, {path}, bpe);

  EXPECT_EQ(dataset.tokenizer, bpe);
  EXPECT_EQ(tokens_of(dataset.train), (std::vector<int32_t>{259, 264}));
  EXPECT_EQ(tokens_of(dataset.val.value()), (std::vector<int32_t>{259, 264}));
}

TEST(Dataset, PutsEndOfTextBetweenFiles) {
  const TempDirectory dir;
  const std::string a = dir.write("a.txt", "one"), b = dir.write("b.txt", "two");

  const Dataset dataset = open_dataset({a, b, a}, {b, a}, nullptr);

  std::vector<int32_t> expected = bytes_of("one?two?one");
  expected[3] = expected[7] = 256;
  EXPECT_EQ(tokens_of(dataset.train), expected);
  EXPECT_EQ(tokens_of(dataset.val.value()),
            (std::vector<int32_t>{'t', 'w', 'o', 256, 'o', 'n', 'e'}));
}

TEST(Dataset, OpensShardsAndHoldsNothingOut) {
  const TempDirectory dir;
  const std::string path = write_shard(dir, "train_0.bin", {5, 6, 7, 50256, 8});

  const Dataset dataset = open_dataset({path}, {}, nullptr);

  EXPECT_EQ(tokens_of(dataset.train), (std::vector<int32_t>{5, 6, 7, 50256, 8}));
  EXPECT_FALSE(dataset.val.has_value());
  EXPECT_EQ(dataset.tokenizer, nullptr);
}

TEST(Dataset, OpensShardsByGlobAndKeepsTheTokenizer) {
  const TempDirectory dir;
  write_shard(dir, "train_1.bin", {3, 4});
  write_shard(dir, "train_0.bin", {1, 2});
  const std::string val = write_shard(dir, "val.bin", {9, 8});

  const Dataset dataset =
      open_dataset({(dir / "train_*.bin").string()}, {val}, make_byte_tokenizer());

  EXPECT_EQ(tokens_of(dataset.train), (std::vector<int32_t>{1, 2, 3, 4}));
  EXPECT_EQ(tokens_of(dataset.val.value()), (std::vector<int32_t>{9, 8}));
  EXPECT_EQ(dataset.tokenizer->name(), "bytes");
}

TEST(Dataset, RecognisesAShardByItsContent) {
  const TempDirectory dir;
  const std::string shard = write_shard(dir, "tokens", {1, 2, 3});

  EXPECT_EQ(tokens_of(open_dataset({shard}, {}, nullptr).train), (std::vector<int32_t>{1, 2, 3}));
}

TEST(Dataset, TakesATextWhoseNameLooksLikeAGlob) {
  const TempDirectory dir;
  const std::string text = dir.write("notes [1].txt", "some notes");

  EXPECT_EQ(tokens_of(open_dataset({text}, {text}, nullptr).train), bytes_of("some notes"));
}

TEST(Dataset, RefusesToMixTextAndShards) {
  const TempDirectory dir;
  const std::string text = dir.write("text.txt", text_of(50));
  const std::string shard = write_shard(dir, "tokens.bin", {1, 2, 3});

  EXPECT_TRUE(mentions(open_error({text, shard}, {}), {"[data]", "cannot be mixed"}));
  EXPECT_TRUE(mentions(open_error({shard}, {shard, text}), {"[data]", "cannot be mixed"}));
  EXPECT_TRUE(mentions(open_error({shard}, {text}), {"[data]", "cannot be mixed"}));
  EXPECT_TRUE(mentions(open_error({text}, {shard}), {"[data]", "cannot be mixed"}));
}

TEST(Dataset, NamesTheFileThatIsMissingOrMalformed) {
  const TempDirectory dir;
  const std::string text = dir.write("text.txt", text_of(50));
  const std::string not_a_shard = dir.write("text.bin", text_of(2000));

  EXPECT_TRUE(mentions(open_error({dir / "none.txt"}, {}), {"none.txt"}));
  EXPECT_TRUE(mentions(open_error({text}, {dir / "none.txt"}), {"none.txt"}));
  EXPECT_TRUE(mentions(open_error({dir / "none_*.bin"}, {}), {"no file matches", "none_*.bin"}));
  EXPECT_TRUE(mentions(open_error({not_a_shard}, {}), {"text.bin is not a token shard"}));
}

TEST(Dataset, OpensTokensAsOneSource) {
  const TempDirectory dir;
  const std::string shard = write_shard(dir, "tokens.bin", {1, 2, 3});
  const std::string text = dir.write("text.txt", "text");
  const std::unique_ptr<Tokenizer> bytes = make_byte_tokenizer();

  EXPECT_EQ(tokens_of(open_tokens({shard, shard}, nullptr)),
            (std::vector<int32_t>{1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(tokens_of(open_tokens({text}, bytes.get())), bytes_of("text"));
}

}  // namespace
}  // namespace weft
