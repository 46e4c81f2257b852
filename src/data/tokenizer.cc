#include "data/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/error.h"

namespace weft {
namespace {

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

  std::vector<std::pair<std::string, std::string>> files(int64_t /*T*/) const override {
    return {};
  }

 private:
  void encode_ordinary(std::string_view text, std::vector<Token>& ids) const override {
    std::ranges::transform(text, std::back_inserter(ids),
                           [](char c) { return static_cast<uint8_t>(c); });
  }

  std::array<char, kBytes> bytes_;
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

}  // namespace weft
