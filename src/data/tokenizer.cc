#include "data/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "data/bpe.h"
#include "data/pretokenizer.h"
#include "data/vocabulary_files.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

constexpr int kBytes = 256;

class ByteTokenizer : public Tokenizer {
 public:
  ByteTokenizer() {
    for (int byte = 0; byte < kBytes; ++byte) bytes_[byte] = static_cast<char>(byte);
  }

  int64_t vocabulary_size() const override { return kBytes + 1; }
  Token end_of_text() const override { return kBytes; }
  std::string name() const override { return "bytes"; }

  std::string_view decode(Token token) const override {
    require(token < vocabulary_size(), "token outside the vocabulary");
    return token == end_of_text() ? std::string_view() : std::string_view(&bytes_[token], 1);
  }

  std::vector<std::pair<std::string, std::string>> files() const override { return {}; }

 private:
  void encode_ordinary(std::string_view text, std::vector<Token>& ids) const override {
    std::ranges::transform(text, std::back_inserter(ids),
                           [](char c) { return static_cast<uint8_t>(c); });
  }

  std::array<char, kBytes> bytes_;
};

class BpeTokenizer : public Tokenizer {
 public:
  explicit BpeTokenizer(BpeVocabulary vocabulary) : bpe_(std::move(vocabulary)) {}

  int64_t vocabulary_size() const override { return std::ssize(bpe_.vocabulary().tokens); }
  Token end_of_text() const override { return bpe_.vocabulary().end_of_text; }
  std::string name() const override {
    return fmt::format("GPT-2 BPE ({} tokens)", vocabulary_size());
  }

  std::string_view decode(Token token) const override {
    require(token < vocabulary_size(), "token outside the vocabulary");
    return bpe_.vocabulary().tokens[token];
  }

  std::vector<std::pair<std::string, std::string>> files() const override {
    return {{"vocab.json", write_vocab_json(bpe_.vocabulary())},
            {"merges.txt", write_merges_txt(bpe_.vocabulary())},
            {"tokenizer_config.json", tokenizer_config().dump(2) + "\n"},
            {"special_tokens_map.json", special_tokens().dump(2) + "\n"}};
  }

 private:
  void encode_ordinary(std::string_view text, std::vector<Token>& ids) const override {
    while (!text.empty()) {
      const size_t piece_bytes = first_piece(text);
      bpe_.encode(text.substr(0, piece_bytes), ids);
      text.remove_prefix(piece_bytes);
    }
  }

  ordered_json special_tokens() const {
    const std::string name(decode(end_of_text()));
    return {{"bos_token", name}, {"eos_token", name}, {"unk_token", name}};
  }

  ordered_json tokenizer_config() const {
    ordered_json config = {{"tokenizer_class", "GPT2Tokenizer"},
                           {"model_max_length", 1024},  // GPT-2's T
                           {"add_prefix_space", false}};
    config.update(special_tokens());
    return config;
  }

  Bpe bpe_;
};

Error special_token_error(size_t offset) {
  return input_error(
      "tokenizer",
      fmt::format("the text holds the special token {} at byte {}", kEndOfText, offset),
      "say what it stands for: characters (ordinary) or the end of a text (recognise)");
}

}  // namespace

std::vector<Token> Tokenizer::encode(std::string_view text, SpecialTokens special) const {
  std::vector<Token> ids;
  size_t begin = 0;
  while (special != SpecialTokens::kOrdinary) {
    const size_t end = text.find(kEndOfText, begin);
    if (end == text.npos) break;
    if (special == SpecialTokens::kRefuse) throw special_token_error(end);
    encode_ordinary(text.substr(begin, end - begin), ids);
    ids.push_back(end_of_text());
    begin = end + kEndOfText.size();
  }
  encode_ordinary(text.substr(begin), ids);
  return ids;
}

std::string Tokenizer::decode(const std::vector<Token>& tokens) const {
  std::string text;
  for (const Token token : tokens) text += decode(token);
  return text;
}

std::unique_ptr<Tokenizer> make_byte_tokenizer() { return std::make_unique<ByteTokenizer>(); }

std::unique_ptr<Tokenizer> open_tokenizer(const std::string& path_or_bytes) {
  if (path_or_bytes == "bytes") return make_byte_tokenizer();
  return std::make_unique<BpeTokenizer>(read_vocabulary(find_vocabulary(path_or_bytes)));
}

}  // namespace weft
