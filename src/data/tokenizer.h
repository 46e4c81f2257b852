// Tokenizer: text to token ids and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

using Token = uint16_t;  // vocabularies up to 65,536; llm.c's shards hold 16 bits too

// The text that spells the end-of-text token.
inline constexpr std::string_view kEndOfText = "<|endoftext|>";

// How encoding treats a kEndOfText inside the text.
enum class SpecialTokens {
  kOrdinary,   // encodes its characters, as tiktoken's encode_ordinary does
  kRecognise,  // encodes it as the end-of-text token, as Hugging Face's tokenizers do
  kRefuse,     // throws Error (kInput) with its byte offset, as tiktoken's encode does
};

// Immutable after construction; every method is thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual int64_t vocabulary_size() const = 0;  // V, the end-of-text token included
  virtual Token end_of_text() const = 0;
  virtual std::string name() const = 0;  // "bytes", "GPT-2 BPE (50257 tokens)"

  // Encodes any bytes; the ids decode to the same bytes. Throws Error (kInput) if this tokenizer
  // can only decode.
  std::vector<Token> encode(std::string_view text,
                            SpecialTokens special = SpecialTokens::kOrdinary) const;

  // The bytes of one token. REQUIRES: token < vocabulary_size(). End of text gives its name for a
  // BPE, and nothing for bytes.
  virtual std::string_view decode(Token token) const = 0;

  // The files, as (name, content), from which a Hugging Face directory reopens this tokenizer. T is
  // the longest text of the directory's model, in tokens. Empty for bytes and for a tokenizer that
  // can only decode.
  virtual std::vector<std::pair<std::string, std::string>> files(int64_t T) const = 0;

  std::string decode(const std::vector<Token>& tokens) const;

 private:
  // Appends the ids of the text, without treating any part of it as special.
  virtual void encode_ordinary(std::string_view text, std::vector<Token>& ids) const = 0;
};

// id = byte; 256 = end of text.
std::unique_ptr<Tokenizer> make_byte_tokenizer();

// Opens what `--tokenizer` names: `bytes`, one of these files, or a directory that holds one:
//   tokenizer.json                             Hugging Face's, in one file (or *tokenizer.json)
//   vocab.json + merges.txt                    Hugging Face's and OpenAI's pairs of files; either
//   encoder.json + vocab.bpe                   file stands for both
//   NAME.tiktoken                              a rank file of tiktoken
//   gpt2_tokenizer.bin                         llm.c's, which can only decode (or another name)
// A directory is searched in this order. Throws Error (kInput) that names the missing or malformed
// part.
std::unique_ptr<Tokenizer> open_tokenizer(const std::string& path_or_bytes);

// True if open_tokenizer would try to read the directory or file, even if it turns out malformed.
bool names_tokenizer(const std::filesystem::path& path);

// Turns a stream of token bytes into a stream of valid UTF-8. It holds a multi-byte character back
// until its last byte arrives, and replaces bytes that can never become a character by U+FFFD.
class Utf8Stream {
 public:
  // Returns the text that these bytes complete.
  std::string push(std::string_view bytes);
  // Ends the stream. Returns U+FFFD if its last character is incomplete, else "".
  std::string finish();

 private:
  std::string pending_;  // an incomplete prefix of one character, at most 3 bytes
};

}  // namespace weft
