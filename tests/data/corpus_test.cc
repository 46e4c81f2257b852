#include "data/corpus.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

class Corpus : public testing::Test {
 protected:
  std::string path(std::string_view name) const { return (dir_ / name).string(); }

  void write(const std::string& name, std::string_view text) const {
    fs::create_directories((dir_ / name).parent_path());
    dir_.write(name, text);
  }

  // The paths that list_corpus finds, relative to the directory.
  std::vector<std::string> listed(const std::vector<std::string>& names) const {
    std::vector<std::string> paths, found;
    for (const std::string& name : names) paths.push_back(path(name));
    for (const CorpusFile& file : list_corpus(paths)) {
      found.push_back(fs::relative(file.path, dir_.path()).string());
    }
    return found;
  }

  std::string listing_error(const std::string& name) const {
    return error_of([&] { list_corpus({path(name)}); });
  }

  // The text that the bytes tokenizer sees, with `|` before each document.
  std::string read(const std::vector<std::string>& names, const CorpusFormat& format) const {
    std::vector<std::string> paths;
    for (const std::string& name : names) paths.push_back(path(name));
    std::string text;
    read_corpus(list_corpus(paths), format, [&](const CorpusBlock& block) {
      const EncodedBlock encoded = encode_block(block, format, *tokenizer_, {});
      for (const Token t : encoded.tokens) text += t == 256 ? '|' : static_cast<char>(t);
    });
    return text;
  }

  TempDirectory dir_;
  std::unique_ptr<Tokenizer> tokenizer_ = make_byte_tokenizer();
};

TEST_F(Corpus, AFileStandsForItselfWhateverItsName) {
  write("b", "xx");
  write("a.py", "x");

  EXPECT_EQ(listed({"b", "a.py", "b"}), (std::vector<std::string>{"b", "a.py", "b"}));
  EXPECT_EQ(list_corpus({path("b")}).front().bytes, 2u);
}

TEST_F(Corpus, AFolderStandsForTheTextsInItAndBelowSorted) {
  for (const char* name : {"d/z.txt", "d/b/2.jsonl", "d/b/1.md", "d/a.txt", "d/c.bin", "d/README",
                           "d/.hidden.txt", "d/.git/x.txt"}) {
    write(name, "x");
  }

  EXPECT_EQ(listed({"d"}),
            (std::vector<std::string>{"d/a.txt", "d/b/1.md", "d/b/2.jsonl", "d/z.txt"}));
}

TEST_F(Corpus, LinksToFilesAreFollowedAndLinksToFoldersAreNot) {
  write("elsewhere/a.txt", "x");
  write("d/b.txt", "x");
  fs::create_symlink(path("elsewhere/a.txt"), path("d/linked.txt"));
  fs::create_directory_symlink(path("elsewhere"), path("d/folder"));
  fs::create_directory_symlink(path("d"), path("d/loop"));
  fs::create_symlink("self.txt", path("d/self.txt"));

  EXPECT_EQ(list_corpus({path("d")}).size(), 2u);
}

TEST_F(Corpus, WhatHoldsNoTextIsNamed) {
  write("d/c.bin", "x");
  write("shard.bin", std::string("\x88\xD8\x34\x01", 4));

  EXPECT_TRUE(mentions(listing_error("absent"), {"no file or folder", "absent", "check the path"}));
  EXPECT_TRUE(mentions(listing_error("d"), {"holds no .txt, .md or .jsonl", "one by one"}));
  EXPECT_TRUE(mentions(listing_error("shard.bin"), {"shard.bin is a token shard, not text"}));
}

TEST_F(Corpus, APipeIsRefusedWithoutWaitingForIt) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);

  EXPECT_TRUE(mentions(error_of([&] { read({"pipe"}, {}); }), {"pipe", "not a regular file"}));
}

TEST_F(Corpus, EveryTextFileIsADocument) {
  write("a.txt", "one \n\n two");
  write("empty.txt", "");
  write("b.txt", "three");

  EXPECT_EQ(read({"a.txt", "empty.txt", "b.txt"}, {}), "|one \n\n two|three");
}

TEST_F(Corpus, ASeparatorCutsFilesIntoDocuments) {
  write("a.txt", "one<>two<><>");
  write("b.txt", "three<>");

  EXPECT_EQ(read({"a.txt", "b.txt"}, {.documents = {"<>", false}}), "|one|two|three");
  EXPECT_EQ(read({"a.txt", "b.txt"}, {.documents = {"<>", true}}), "|one<>|two<>|<>|three<>");
}

TEST_F(Corpus, JsonLinesAreKnownByTheirNameOrByTheField) {
  write("a.jsonl", "{\"text\": \"one\", \"body\": \"1\"}\n{\"text\": \"two\", \"body\": \"2\"}\n");
  write("b.data", "{\"body\": \"3\"}");
  write("c.txt", "{}");
  CorpusFormat body;
  body.field = "body";

  EXPECT_EQ(read({"a.jsonl", "c.txt"}, {}), "|one|two|{}");
  EXPECT_EQ(read({"a.jsonl", "b.data"}, body), "|1|2|3");
}

TEST_F(Corpus, ASeparatorMeansNothingInJsonLines) {
  write("a.jsonl", "{\"text\": \"a<>b\"}");

  EXPECT_EQ(read({"a.jsonl"}, {.documents = {"<>", false}}), "|a<>b");
}

TEST_F(Corpus, CountsTheDocumentsThatBeginInABlock) {
  TextBlock block;
  block.append("end of another", false);
  block.append("one", true);
  block.append("two", true);

  const EncodedBlock marked = encode_block(block, {}, *tokenizer_, {});
  const EncodedBlock plain = encode_block(block, {}, *tokenizer_, {.end_of_text = false});

  EXPECT_EQ(marked.documents, 2);
  EXPECT_EQ(marked.tokens.size(), 22u);
  EXPECT_EQ(plain.documents, 2);
  EXPECT_EQ(plain.tokens.size(), 20u);
}

TEST_F(Corpus, SpecialTokensAreWhatTheRulesSay) {
  TextBlock block{"a.txt", {}, {}};
  block.append("a<|endoftext|>b", true);
  const auto encode = [&](SpecialTokens special) {
    return encode_block(block, {}, *tokenizer_, {.end_of_text = false, .special = special}).tokens;
  };

  EXPECT_EQ(encode(SpecialTokens::kOrdinary).size(), 15u);
  EXPECT_EQ(encode(SpecialTokens::kRecognise), (std::vector<Token>{'a', 256, 'b'}));
  EXPECT_TRUE(mentions(error_of([&] { encode(SpecialTokens::kRefuse); }),
                       {"a.txt holds <|endoftext|>", "--special-tokens"}));
}

TEST_F(Corpus, ARefusedTokenInJsonLinesIsNearTheLineThatIsNamed) {
  const CorpusBlock block = JsonLinesBlock{"a.jsonl", 7, "{\"text\": \"<|endoftext|>\"}"};

  EXPECT_TRUE(mentions(
      error_of([&] { encode_block(block, {}, *tokenizer_, {.special = SpecialTokens::kRefuse}); }),
      {"a.jsonl, line 7 or below holds <|endoftext|>"}));
}

}  // namespace
}  // namespace weft
