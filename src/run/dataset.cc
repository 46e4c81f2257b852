#include "run/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "data/corpus.h"

namespace weft {
namespace {

constexpr double kHeldOutShare = 0.1;

// Shards are recognised by content where the path names a file, and by name where it is a glob.
bool names_shards(const std::string& path) {
  if (is_token_shard(path) || path.ends_with(".bin")) return true;
  return path.find_first_of("*?[") != std::string::npos && !std::filesystem::exists(path);
}

Error mixed_kinds() {
  return input_error("data", "text files and token shards cannot be mixed",
                     "tokenize the text first, or give one kind only");
}

bool all_shards(const std::vector<std::string>& paths) {
  const auto shards = std::count_if(paths.begin(), paths.end(), names_shards);
  if (shards != 0 && static_cast<size_t>(shards) != paths.size()) throw mixed_kinds();
  return shards != 0;
}

bool holds_tokens(const std::vector<std::string>& paths, TokenFormat format) {
  // Raw tokens have no header to recognize them by.
  return format == TokenFormat::kRawU16 || all_shards(paths);
}

// Puts an end-of-text token between documents.
std::vector<Token> tokenize(const std::vector<std::string>& paths, const Tokenizer& tokenizer) {
  std::vector<Token> tokens;
  const CorpusFormat format;
  read_corpus(list_corpus(paths), format, [&](const CorpusBlock& block) {
    const EncodedBlock encoded = encode_block(block, format, tokenizer, {});
    tokens.insert(tokens.end(), encoded.tokens.begin(), encoded.tokens.end());
  });
  if (!tokens.empty()) tokens.erase(tokens.begin());  // no document stands before the first
  return tokens;
}

}  // namespace

TokenSource open_tokens(const std::vector<std::string>& paths, const Tokenizer* tokenizer,
                        TokenFormat format) {
  if (holds_tokens(paths, format)) return TokenSource::open_shards(paths, format);
  if (tokenizer == nullptr) {
    throw input_error("data", paths.front() + " is text, and there is no tokenizer for it",
                      "name one with --tokenizer");
  }
  return TokenSource::from_tokens(tokenize(paths, *tokenizer));
}

Dataset open_dataset(const std::vector<std::string>& data, const std::vector<std::string>& val,
                     const std::shared_ptr<const Tokenizer>& tokenizer, TokenFormat format) {
  Dataset dataset;
  const bool shards = holds_tokens(data, format);
  if (!val.empty() && holds_tokens(val, format) != shards) throw mixed_kinds();
  dataset.tokenizer = tokenizer || shards ? tokenizer : make_byte_tokenizer();
  if (!val.empty()) dataset.val = open_tokens(val, dataset.tokenizer.get(), format);
  if (shards || !val.empty()) {
    dataset.train = open_tokens(data, dataset.tokenizer.get(), format);
    return dataset;
  }
  std::vector<Token> tokens = tokenize(data, *dataset.tokenizer);
  const auto held_out = static_cast<size_t>(kHeldOutShare * double(tokens.size()));
  const auto boundary = tokens.end() - static_cast<std::ptrdiff_t>(held_out);
  dataset.val = TokenSource::from_tokens({boundary, tokens.end()});
  dataset.val_is_held_out = true;
  tokens.erase(boundary, tokens.end());
  dataset.train = TokenSource::from_tokens(std::move(tokens));
  return dataset;
}

void check_lengths(const Dataset& dataset, int64_t T) {
  dataset.train.samples(T);
  if (!dataset.val) return;
  if (dataset.val_is_held_out && dataset.val->tokens() <= T) {
    throw input_error(
        "data",
        fmt::format("the last {:.0f} % of the text, held out for validation, has {} tokens: one "
                    "sequence of {} and its target needs {}",
                    100. * kHeldOutShare, dataset.val->tokens(), T, T + 1),
        "give validation text with --val, more text, or a shorter --seq-len");
  }
  dataset.val->samples(T);
}

}  // namespace weft
