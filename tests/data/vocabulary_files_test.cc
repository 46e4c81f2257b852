#include "data/vocabulary_files.h"

#include <gtest/gtest.h>

#include <string>

#include "data/small_vocabulary.h"
#include "support/error_of.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr size_t kEndOfTextId = 266;  // of SmallVocabulary

class VocabularyFiles : public testing::Test {
 protected:
  BpeVocabulary read(const std::string& vocab_json, const std::string& merges_txt) const {
    return read_vocabulary(
        {directory_.write("vocab.json", vocab_json), directory_.write("merges.txt", merges_txt)});
  }
  std::string error(const std::string& vocab_json, const std::string& merges_txt) const {
    return error_of([&] { read(vocab_json, merges_txt); });
  }
  std::string vocab_error(const std::string& vocab_json) const {
    return error(vocab_json, small_.merges_txt());
  }
  std::string merges_error(const std::string& merges_txt) const {
    return error(small_.vocab_json(), merges_txt);
  }

  TempDirectory directory_;
  SmallVocabulary small_;
};

TEST_F(VocabularyFiles, GiveTokensAsBytesAndMergesAsIds) {
  const BpeVocabulary vocabulary = read(small_.vocab_json(), small_.merges_txt());

  ASSERT_EQ(vocabulary.tokens.size(), 267u);
  EXPECT_EQ(vocabulary.tokens[0], "!");
  EXPECT_EQ(vocabulary.tokens[187], "\xFF");
  EXPECT_EQ(vocabulary.tokens[188], std::string(1, '\0'));
  EXPECT_EQ(vocabulary.tokens[220], " ");
  EXPECT_EQ(vocabulary.tokens[264], " world");
  EXPECT_EQ(vocabulary.end_of_text, kEndOfTextId);
  ASSERT_EQ(vocabulary.merges.size(), 10u);
  EXPECT_EQ(vocabulary.merges[2], (BpeMerge{256, 257, 258}));
}

TEST_F(VocabularyFiles, ReadBackAsWritten) {
  const BpeVocabulary vocabulary = read(small_.vocab_json(), small_.merges_txt());

  const BpeVocabulary again = read(write_vocab_json(vocabulary), write_merges_txt(vocabulary));

  EXPECT_EQ(again.tokens, vocabulary.tokens);
  EXPECT_EQ(again.merges, vocabulary.merges);
  EXPECT_EQ(again.end_of_text, vocabulary.end_of_text);
  EXPECT_EQ(write_merges_txt(vocabulary), small_.merges_txt());
}

TEST_F(VocabularyFiles, AcceptTheDialectsOfMerges) {
  const BpeVocabulary expected = read(small_.vocab_json(), small_.merges_txt());
  const std::string with_version = small_.merges_txt();
  const std::string without_version = with_version.substr(with_version.find('\n') + 1);
  const std::string without_end = with_version.substr(0, with_version.size() - 1);
  std::string with_crlf;
  for (const char c : with_version) with_crlf += c == '\n' ? "\r\n" : std::string(1, c);

  for (const std::string& merges_txt : {without_version, without_end, with_crlf}) {
    EXPECT_EQ(read(small_.vocab_json(), merges_txt).merges, expected.merges);
  }
}

TEST_F(VocabularyFiles, AcceptIdsInAnyOrderAndOtherSpecialTokens) {
  std::swap(small_.tokens[0], small_.tokens[kEndOfTextId]);
  small_.tokens.push_back("[PAD]");
  small_.tokens.push_back("<s>");

  const BpeVocabulary vocabulary = read(small_.vocab_json(), small_.merges_txt());

  EXPECT_EQ(vocabulary.end_of_text, 0);
  EXPECT_EQ(vocabulary.tokens[kEndOfTextId], "!");
  EXPECT_EQ(vocabulary.tokens[268], "<s>");
}

TEST_F(VocabularyFiles, AreRefusedUnlessTheVocabularyIsOneFlatObjectOfIds) {
  EXPECT_TRUE(mentions(vocab_error("[1, 2]"), {"vocab.json", "flat", "expected"}));
  EXPECT_TRUE(mentions(vocab_error("17"), {"flat"}));
  EXPECT_TRUE(mentions(vocab_error(R"({"a": {"b": 1}})"), {"flat"}));
  EXPECT_TRUE(mentions(vocab_error(R"({"a": [1]})"), {"flat"}));
  EXPECT_TRUE(mentions(vocab_error(R"({"a": "b"})"), {"id of token \"a\""}));
  EXPECT_TRUE(mentions(vocab_error(R"({"a": -1})"), {"id of token \"a\""}));
  EXPECT_TRUE(mentions(vocab_error(R"({"a": 1.0})"), {"id of token \"a\""}));
  EXPECT_TRUE(mentions(vocab_error(R"({"a": 36893488147419103232})"), {"id of token \"a\""}));
  EXPECT_TRUE(mentions(vocab_error(R"({"a": 1e999})"), {"out of range"}));
}

TEST_F(VocabularyFiles, AreRefusedWhenTheJsonIsDeepWithoutExhaustingTheStack) {
  std::string objects = R"({"a":)";
  for (int depth = 0; depth < 1'000'000; ++depth) objects += R"({"a":)";

  EXPECT_TRUE(mentions(vocab_error(std::string(1'000'000, '[')), {"flat"}));
  EXPECT_TRUE(mentions(vocab_error(objects), {"flat"}));
}

TEST_F(VocabularyFiles, AreRefusedWhenTheVocabularyIsCutAnywhere) {
  const std::string whole = small_.vocab_json();
  for (size_t bytes = 0; bytes < whole.size(); bytes += 13) {
    ASSERT_TRUE(mentions(vocab_error(whole.substr(0, bytes)), {"cut short or not JSON"})) << bytes;
  }
}

TEST_F(VocabularyFiles, AreRefusedWhenTheVocabularyIsNotUtf8) {
  EXPECT_TRUE(mentions(vocab_error("{\"a\xFF\": 0}"), {"not JSON, at byte 4"}));
  EXPECT_TRUE(mentions(vocab_error(R"({"\ud800": 0})"), {"not JSON"}));
}

TEST_F(VocabularyFiles, AreRefusedWhenANulByteEndsTheVocabularyEarly) {
  const std::string hides_its_end = small_.vocab_json() + std::string("\0, junk", 7);

  EXPECT_TRUE(mentions(vocab_error(hides_its_end), {"vocab.json", "NUL byte"}));
}

TEST_F(VocabularyFiles, AreRefusedWhenAnIdOrATokenOccursTwice) {
  const std::string json = small_.vocab_json();
  const std::string head = json.substr(0, json.size() - 1);

  EXPECT_TRUE(mentions(vocab_error(head + ", \"hello\": 267}"), {"\"hello\" occurs twice"}));
  EXPECT_TRUE(mentions(vocab_error(head + ", \"<s>\": 5}"), {"id 5 occurs twice"}));
  EXPECT_TRUE(
      mentions(vocab_error(head + ", \"<s>\": 268}"), {"\"<s>\" has id 268", "only 268 tokens"}));
}

TEST_F(VocabularyFiles, AreRefusedWhenATokenIsNotSpelledInTheAlphabet) {
  small_.tokens[kEndOfTextId - 1] = "a a";
  EXPECT_TRUE(mentions(vocab_error(small_.vocab_json()), {"\"a a\"", "byte alphabet"}));

  small_.tokens[kEndOfTextId - 1] = "";
  EXPECT_TRUE(mentions(vocab_error(small_.vocab_json()), {"\"\"", "byte alphabet"}));
}

TEST_F(VocabularyFiles, AreRefusedWhenAByteOrEndOfTextIsMissing) {
  std::swap(small_.tokens[198], small_.tokens[kEndOfTextId]);  // the line feed
  small_.tokens.pop_back();
  EXPECT_TRUE(mentions(vocab_error(small_.vocab_json()), {"single byte 0x0a", "\"\\u010a\""}));

  EXPECT_TRUE(mentions(vocab_error("{}"), {"single byte 0x00"}));

  small_ = SmallVocabulary();
  small_.tokens.pop_back();
  EXPECT_TRUE(mentions(vocab_error(small_.vocab_json()), {"<|endoftext|> is missing"}));
}

TEST_F(VocabularyFiles, AreRefusedAboveTheTokensThat16BitsCount) {
  while (small_.tokens.size() < 65'536) {
    small_.tokens.push_back("<" + std::to_string(small_.tokens.size()) + ">");
  }
  EXPECT_EQ(read(small_.vocab_json(), small_.merges_txt()).tokens.size(), 65'536u);

  small_.tokens.push_back("<one more>");
  EXPECT_TRUE(mentions(vocab_error(small_.vocab_json()), {"more than 65536 tokens"}));
}

TEST_F(VocabularyFiles, AreRefusedWhenALineIsNoMergeOfTheVocabulary) {
  const std::string merges_txt = small_.merges_txt();

  EXPECT_TRUE(mentions(merges_error("#version: 0.2\nhe\n"), {"merges.txt: line 2", "two tokens"}));
  EXPECT_TRUE(mentions(merges_error("h e\n\nl l\n"), {"line 2", "two tokens"}));
  EXPECT_TRUE(mentions(merges_error("h e l\n"), {"line 1", "\"e l\"", "byte alphabet"}));
  EXPECT_TRUE(mentions(merges_error("h  e\n"), {"line 1", "byte alphabet"}));
  EXPECT_TRUE(mentions(merges_error("h \xFF\n"), {"line 1", "byte alphabet"}));
  EXPECT_TRUE(mentions(merges_error("he l\n"), {"line 1", "\"hel\" is not in the vocabulary"}));
  EXPECT_TRUE(mentions(merges_error("xx l\n"), {"line 1", "\"xx\" is not in the vocabulary"}));
  EXPECT_TRUE(mentions(merges_error("h \n"), {"line 1", "\"\" is not in the vocabulary"}));
  EXPECT_TRUE(mentions(merges_error(merges_txt + "a a\n"), {"line 12", "repeats a merge"}));
}

TEST_F(VocabularyFiles, AreRefusedWhenTheMergesAreCutAnywhere) {
  const std::string whole = small_.merges_txt();
  for (size_t bytes = 0; bytes + 1 < whole.size(); ++bytes) {
    ASSERT_TRUE(mentions(merges_error(whole.substr(0, bytes)), {"merges.txt", "expected"}))
        << bytes;
  }
  EXPECT_TRUE(mentions(merges_error(""), {"no merge makes token 256 (\"he\")", "cut short"}));
}

TEST_F(VocabularyFiles, AreFoundInADirectoryUnderEitherPairOfNames) {
  const TempDirectory openai;
  openai.write("encoder.json", "");
  openai.write("vocab.bpe", "");
  small_.write(directory_);

  EXPECT_EQ(find_vocabulary(openai.path())->vocab, openai / "encoder.json");
  EXPECT_EQ(find_vocabulary(openai.path())->merges, openai / "vocab.bpe");
  EXPECT_EQ(find_vocabulary(directory_.path())->merges, directory_ / "merges.txt");
}

TEST_F(VocabularyFiles, AreFoundFromEitherFile) {
  small_.write(directory_);

  for (const char* name : {"vocab.json", "merges.txt"}) {
    const VocabularyPaths paths = find_vocabulary(directory_ / name).value();
    EXPECT_EQ(paths.vocab, directory_ / "vocab.json");
    EXPECT_EQ(paths.merges, directory_ / "merges.txt");
  }
}

TEST_F(VocabularyFiles, AreNotFoundUnderOtherNames) {
  EXPECT_EQ(find_vocabulary(directory_.path()), std::nullopt);
  EXPECT_EQ(find_vocabulary(directory_.write("notes.txt", "")), std::nullopt);
}

TEST_F(VocabularyFiles, SayWhichPartnerIsMissing) {
  const auto find_error = [](const fs::path& path) {
    return error_of([&] { find_vocabulary(path); });
  };

  const fs::path vocab = directory_.write("vocab.json", "");

  EXPECT_TRUE(mentions(find_error(vocab), {"merges.txt is missing", "beside"}));
  EXPECT_TRUE(mentions(find_error(directory_.path()), {"merges.txt is missing"}));
  EXPECT_TRUE(mentions(find_error(directory_ / "vocab.bpe"), {"encoder.json is missing"}));
}

}  // namespace
}  // namespace weft
