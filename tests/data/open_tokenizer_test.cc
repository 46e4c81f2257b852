#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "data/small_vocabulary.h"
#include "data/tokenizer.h"
#include "support/error_of.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<Token>;

std::string open_error(const fs::path& path) {
  return error_of([&] { open_tokenizer(path.string()); });
}

TEST(OpenTokenizer, ReadsTokenizerJsonAloneAsADirectoryOrAFile) {
  const TempDirectory pair, alone;
  SmallVocabulary().write(pair);
  for (const auto& [name, content] : open_tokenizer(pair.path())->files(64)) {
    if (name == "tokenizer.json") alone.write("my_tokenizer.json", content);
    if (name == "tokenizer.json") alone.write(name, content);
  }

  for (const fs::path& path :
       {alone.path(), alone / "tokenizer.json", alone / "my_tokenizer.json"}) {
    EXPECT_TRUE(names_tokenizer(path));
    EXPECT_EQ(open_tokenizer(path)->encode("hello world"), (Ids{259, 264}));
  }
}

TEST(OpenTokenizer, ADirectoryGivesTokenizerJsonBeforeThePair) {
  const TempDirectory directory;
  SmallVocabulary().write(directory);
  const fs::path json = directory.write("tokenizer.json", "{}");

  EXPECT_TRUE(mentions(open_error(directory.path()), {json.string()}));
  EXPECT_EQ(open_error(directory / "vocab.json"), "") << "a name chooses";
}

TEST(OpenTokenizer, SaysWhatItAccepts) {
  const TempDirectory directory;
  const fs::path notes = directory.write("notes.txt", "");
  const fs::path other_json = directory.write("config.json", "{}");
  const fs::path other_bin = directory.write("model.bin", "1234");

  EXPECT_TRUE(mentions(open_error(directory / "none"), {"none does not exist", "`bytes`"}));
  for (const fs::path& path : {directory.path(), notes, other_json, other_bin}) {
    EXPECT_FALSE(names_tokenizer(path));
    EXPECT_TRUE(
        mentions(open_error(path), {"holds no tokenizer", "tokenizer.json", "merges.txt",
                                    "vocab.bpe", "r50k_base.tiktoken", "gpt2_tokenizer.bin"}));
  }
}

TEST(OpenTokenizer, RefusesWhatIsNoFileWithoutWaitingForIt) {
  const TempDirectory directory;
  for (const char* name : {"tokenizer.json", "r50k_base.tiktoken", "gpt2_tokenizer.bin"}) {
    const fs::path fifo = directory / name;
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_TRUE(mentions(open_error(fifo), {"holds no tokenizer"})) << name;
  }
}

TEST(OpenTokenizer, KnowsTheFilesByNameEvenIfTheyAreBroken) {
  const TempDirectory directory;
  directory.write("r50k_base.tiktoken", "?");

  EXPECT_TRUE(names_tokenizer(directory.path()));
  EXPECT_TRUE(names_tokenizer(directory / "vocab.json"));
  EXPECT_TRUE(mentions(open_error(directory.path()), {"r50k_base.tiktoken: line 1"}));
  EXPECT_TRUE(mentions(open_error(directory / "vocab.json"), {"vocab.json is missing"}));
}

}  // namespace
}  // namespace weft
