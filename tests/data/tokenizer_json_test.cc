#include "data/tokenizer_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "data/small_vocabulary.h"
#include "data/tokenizer.h"
#include "data/vocabulary_files.h"
#include "support/error_of.h"

namespace weft {
namespace {

using nlohmann::json;

// SmallVocabulary as Hugging Face's tokenizers 0.23 writes it, written out independently.
json small_tokenizer() {
  const SmallVocabulary small;
  json vocab = json::object(), merges = json::array();
  for (size_t id = 0; id < small.tokens.size(); ++id) vocab[small.tokens[id]] = id;
  for (const std::string& merge : small.merges) merges.push_back(merge);
  const json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", {{{"id", 266}, {"content", "<|endoftext|>"}, {"special", true}}}},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level},
          {"post_processor", byte_level},
          {"decoder", byte_level},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", vocab},
            {"merges", merges}}}};
}

class TokenizerJson : public testing::Test {
 protected:
  BpeVocabulary read_text(std::string_view text) const {
    return read_tokenizer_json(directory_.write("tokenizer.json", text));
  }
  BpeVocabulary read(const json& value) const { return read_text(value.dump()); }
  std::string error(std::string_view text) const {
    return error_of([&] { read_text(text); });
  }
  // The error if one setting has another value.
  std::string error_with(const char* pointer, const json& value) const {
    json changed = small_tokenizer();
    changed[json::json_pointer(pointer)] = value;
    return error(changed.dump());
  }

  TempDirectory directory_;
};

TEST_F(TokenizerJson, HoldsTheVocabularyOfTheTwoFiles) {
  SmallVocabulary().write(directory_);
  const BpeVocabulary expected = read_vocabulary(find_vocabulary(directory_.path()).value());

  const BpeVocabulary vocabulary = read(small_tokenizer());

  EXPECT_EQ(vocabulary.tokens, expected.tokens);
  EXPECT_EQ(vocabulary.merges, expected.merges);
  EXPECT_EQ(vocabulary.end_of_text, 266);
  EXPECT_EQ(vocabulary.special_tokens, std::vector<Token>{266});
}

TEST_F(TokenizerJson, MergesAreStringsOrPairs) {
  json with_pairs = small_tokenizer();
  for (json& merge : with_pairs["model"]["merges"]) {
    const std::string text = merge;
    merge = {text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1)};
  }

  EXPECT_EQ(read(with_pairs).merges, read(small_tokenizer()).merges);
}

TEST_F(TokenizerJson, SettingsOfOlderFilesAreAccepted) {
  json old = small_tokenizer();
  old["model"].erase("type");
  old["model"].erase("byte_fallback");
  old["model"].erase("ignore_merges");
  old["model"]["continuing_subword_prefix"] = "";
  old["model"]["end_of_word_suffix"] = "";
  old["pre_tokenizer"].erase("use_regex");
  old["post_processor"] = nullptr;

  EXPECT_EQ(read(old).merges, read(small_tokenizer()).merges);
}

TEST_F(TokenizerJson, AddedTokensNeedNotBeInTheModel) {
  json changed = small_tokenizer();
  changed["model"]["vocab"].erase("<|endoftext|>");
  changed["added_tokens"].push_back({{"id", 267}, {"content", "a pad"}});

  const BpeVocabulary vocabulary = read(changed);

  EXPECT_EQ(vocabulary.tokens.at(266), "<|endoftext|>");
  EXPECT_EQ(vocabulary.tokens.at(267), "a pad");
  EXPECT_EQ(vocabulary.special_tokens, (std::vector<Token>{266, 267}));
}

TEST_F(TokenizerJson, ReadsBackAsWritten) {
  json changed = small_tokenizer();
  changed["added_tokens"].push_back({{"id", 267}, {"content", "a \"pad\""}});
  const BpeVocabulary vocabulary = read(changed);

  const std::string written = write_tokenizer_json(vocabulary);
  const BpeVocabulary again = read_text(written);

  EXPECT_EQ(again.tokens, vocabulary.tokens);
  EXPECT_EQ(again.merges, vocabulary.merges);
  EXPECT_EQ(again.end_of_text, vocabulary.end_of_text);
  EXPECT_EQ(again.special_tokens, vocabulary.special_tokens);
  EXPECT_EQ(json::parse(written)["model"]["merges"], small_tokenizer()["model"]["merges"]);
}

TEST_F(TokenizerJson, IsRefusedWhereASettingWouldChangeTheIds) {
  const std::pair<const char*, json> changes[] = {
      {"/model/type", "WordPiece"},
      {"/model/dropout", 0.1},
      {"/model/continuing_subword_prefix", "##"},
      {"/model/end_of_word_suffix", "</w>"},
      {"/model/byte_fallback", true},
      {"/model/ignore_merges", true},
      {"/normalizer", {{"type", "Lowercase"}}},
      {"/pre_tokenizer", nullptr},
      {"/pre_tokenizer/type", "Metaspace"},
      {"/pre_tokenizer/add_prefix_space", true},
      {"/pre_tokenizer/use_regex", false},
      {"/post_processor/type", "TemplateProcessing"},
      {"/decoder/type", "WordPiece"},
  };
  for (const auto& [pointer, value] : changes) {
    EXPECT_TRUE(mentions(error_with(pointer, value),
                         {"tokenizer.json: ", pointer, "must be", "GPT-2's ids"}));
  }
  EXPECT_TRUE(mentions(error_with("/pre_tokenizer/add_prefix_space", true),
                       {"/pre_tokenizer/add_prefix_space is true, and must be false"}));
}

TEST_F(TokenizerJson, IsRefusedWhereAPartIsMissingOrOfAnotherType) {
  EXPECT_TRUE(mentions(error_with("/model", nullptr), {"/model/vocab is not an object"}));
  EXPECT_TRUE(mentions(error_with("/model/vocab", {1, 2}), {"/model/vocab is not an object"}));
  EXPECT_TRUE(mentions(error_with("/model/merges", "a b"), {"/model/merges is not a list"}));
  EXPECT_TRUE(mentions(error_with("/added_tokens", nullptr), {"/added_tokens is not a list"}));
  EXPECT_TRUE(mentions(error_with("/added_tokens/0", 7), {"7", "not an added token"}));
  EXPECT_TRUE(mentions(error_with("/added_tokens/0/id", "7"), {"id \"7\" is not a whole number"}));
  EXPECT_TRUE(mentions(error_with("/model/vocab/!", -1), {"is not a whole number"}));
  EXPECT_TRUE(mentions(error_with("/model/vocab/!", 0.5), {"is not a whole number"}));
  EXPECT_TRUE(mentions(error("[]"), {"tokenizer.json", "not a JSON object"}));
  EXPECT_TRUE(mentions(error(""), {"tokenizer.json", "not JSON"}));
}

TEST_F(TokenizerJson, IsRefusedWhereTokensAndIdsDoNotMatch) {
  EXPECT_TRUE(mentions(error_with("/model/vocab/hello", 5), {"id 5 occurs twice"}));
  EXPECT_TRUE(mentions(error_with("/model/vocab/hello", 7000), {"has id 7000", "267 tokens"}));
  EXPECT_TRUE(mentions(error_with("/model/vocab/a a", 267), {"\"a a\"", "byte alphabet"}));
  EXPECT_TRUE(mentions(error_with("/added_tokens/0/id", 3), {"has id 3, and 266"}));
  EXPECT_TRUE(mentions(error_with("/added_tokens", json::array()),
                       {"<|endoftext|> is not among the added tokens"}));
  EXPECT_TRUE(mentions(error_with("/added_tokens/0/content", ""), {"byte alphabet"}));
}

TEST_F(TokenizerJson, IsRefusedWhereAMergeIsNone) {
  EXPECT_TRUE(mentions(error_with("/model/merges/3", "hello"), {"merge 3", "not two tokens"}));
  EXPECT_TRUE(mentions(error_with("/model/merges/3", {"a"}), {"merge 3", "not two tokens"}));
  EXPECT_TRUE(mentions(error_with("/model/merges/3", {"a", 1}), {"merge 3", "not two tokens"}));
  EXPECT_TRUE(mentions(error_with("/model/merges/3", "x y"), {"\"xy\" is not in the vocabulary"}));
  EXPECT_TRUE(mentions(error_with("/model/merges/3", "h e"), {"merge 3: repeats a merge"}));
  EXPECT_TRUE(mentions(error_with("/model/merges", json::array()), {"no merge makes token 256"}));
}

TEST_F(TokenizerJson, IsRefusedWhenItIsCutDeepOrNamesAKeyTwice) {
  const std::string whole = small_tokenizer().dump();
  for (size_t bytes = 0; bytes < whole.size(); bytes += 97) {
    ASSERT_TRUE(mentions(error(whole.substr(0, bytes)), {"is not JSON in UTF-8"})) << bytes;
  }
  EXPECT_TRUE(mentions(error(std::string(1'000'000, '[')), {"nests deeper"}));
  EXPECT_TRUE(mentions(error(R"({"model": {"vocab": {"a": 1, "a": 2}}})"), {"key \"a\" twice"}));
  EXPECT_TRUE(mentions(error("{\"a\xFF\": 0}"), {"is not JSON in UTF-8"}));
}

}  // namespace
}  // namespace weft
