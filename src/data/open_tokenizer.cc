#include <system_error>

#include "base/error.h"
#include "base/paths.h"
#include "data/bpe_tokenizer.h"
#include "data/llmc_tokenizer.h"
#include "data/tiktoken_ranks.h"
#include "data/tokenizer.h"
#include "data/tokenizer_json.h"
#include "data/vocabulary_files.h"

namespace weft {
namespace {

using std::filesystem::path;

constexpr const char* kPathHint =
    "expected `bytes`, or one of these or the directory that holds it: tokenizer.json, vocab.json "
    "with merges.txt, encoder.json with vocab.bpe, r50k_base.tiktoken, llm.c's gpt2_tokenizer.bin";

enum class Format { kNone, kTokenizerJson, kPair, kTiktoken, kLlmc };

struct Location {
  Format format = Format::kNone;
  path file;  // for a pair of files, the argument of find_vocabulary
};

bool is_of_pair(const path& name) {
  return name == "vocab.json" || name == "merges.txt" || name == "encoder.json" ||
         name == "vocab.bpe";
}

Format format_of(const path& file) {
  if (is_of_pair(file.filename())) return Format::kPair;
  if (!file_exists(file)) return Format::kNone;
  if (file.string().ends_with("tokenizer.json")) return Format::kTokenizerJson;
  if (file.extension() == ".tiktoken") return Format::kTiktoken;
  return is_llmc_tokenizer(file) ? Format::kLlmc : Format::kNone;
}

// tokenizer.json comes before the pair: only it lists the tokens that were added to the vocabulary,
// and Hugging Face's transformers reads it if both exist. If it asks for a setting that weft does
// not support, an error is better than reading the pair, whose ids may differ.
Location find_in_directory(const path& directory) {
  if (file_exists(directory / "tokenizer.json")) {
    return {Format::kTokenizerJson, directory / "tokenizer.json"};
  }
  for (const char* name : {"vocab.json", "merges.txt", "encoder.json", "vocab.bpe"}) {
    if (file_exists(directory / name)) return {Format::kPair, directory};
  }
  for (const char* name : {"r50k_base.tiktoken", "gpt2.tiktoken"}) {
    if (file_exists(directory / name)) return {Format::kTiktoken, directory / name};
  }
  const path llmc = directory / "gpt2_tokenizer.bin";
  return {file_exists(llmc) ? Format::kLlmc : Format::kNone, llmc};
}

Location find(const path& given) {
  if (directory_exists(given)) return find_in_directory(given);
  return {format_of(given), given};
}

Error no_tokenizer(const path& given) {
  std::error_code reason;
  const auto type = status(given, reason).type();
  const std::string what = type == std::filesystem::file_type::not_found ? " does not exist"
                           : reason ? " cannot be read: " + reason.message()
                                    : " holds no tokenizer";
  return input_error("tokenizer", given.string() + what, kPathHint);
}

}  // namespace

std::unique_ptr<Tokenizer> open_tokenizer(const std::string& path_or_bytes) {
  if (path_or_bytes == "bytes") return make_byte_tokenizer();
  const auto [format, file] = find(path_or_bytes);
  switch (format) {
    case Format::kTokenizerJson:
      return make_bpe_tokenizer(read_tokenizer_json(file));
    case Format::kPair:
      return make_bpe_tokenizer(read_vocabulary(*find_vocabulary(file)));
    case Format::kTiktoken:
      return make_bpe_tokenizer(read_tiktoken_ranks(file));
    case Format::kLlmc:
      return make_decoder(read_llmc_tokenizer(file), file.string());
    case Format::kNone:
      break;
  }
  throw no_tokenizer(path_or_bytes);
}

bool names_tokenizer(const path& path) { return find(path).format != Format::kNone; }

}  // namespace weft
