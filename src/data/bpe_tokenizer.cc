#include "data/bpe_tokenizer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "data/pretokenizer.h"
#include "data/tokenizer_json.h"
#include "data/vocabulary_files.h"

namespace weft {
namespace {

using nlohmann::ordered_json;
using Files = std::vector<std::pair<std::string, std::string>>;

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

  Files files(int64_t T) const override {
    return {{"vocab.json", write_vocab_json(bpe_.vocabulary())},
            {"merges.txt", write_merges_txt(bpe_.vocabulary())},
            {"tokenizer.json", write_tokenizer_json(bpe_.vocabulary())},
            {"tokenizer_config.json", tokenizer_config(T).dump(2) + "\n"},
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

  ordered_json tokenizer_config(int64_t T) const {
    ordered_json config = {
        {"tokenizer_class", "GPT2Tokenizer"}, {"model_max_length", T}, {"add_prefix_space", false}};
    config.update(special_tokens());
    return config;
  }

  Bpe bpe_;
};

class Decoder : public Tokenizer {
 public:
  Decoder(LlmcTokenizer tokenizer, std::string path)
      : tokenizer_(std::move(tokenizer)), path_(std::move(path)) {}

  int64_t vocabulary_size() const override { return std::ssize(tokenizer_.tokens); }
  Token end_of_text() const override { return tokenizer_.end_of_text; }
  std::string name() const override {
    return fmt::format("llm.c's, for decoding ({} tokens)", vocabulary_size());
  }

  std::string_view decode(Token token) const override {
    require(token < vocabulary_size(), "token outside the vocabulary");
    return tokenizer_.tokens[token];
  }

  Files files(int64_t /*T*/) const override { return {}; }

 private:
  void encode_ordinary(std::string_view /*text*/, std::vector<Token>& /*ids*/) const override {
    throw input_error("tokenizer", path_ + " can only decode: it holds no merges",
                      "to encode text, name vocab.json with merges.txt, a tokenizer.json, or "
                      "tiktoken's r50k_base.tiktoken");
  }

  LlmcTokenizer tokenizer_;
  std::string path_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_bpe_tokenizer(BpeVocabulary vocabulary) {
  return std::make_unique<BpeTokenizer>(std::move(vocabulary));
}

std::unique_ptr<Tokenizer> make_decoder(LlmcTokenizer tokenizer, std::string path) {
  return std::make_unique<Decoder>(std::move(tokenizer), std::move(path));
}

}  // namespace weft
