#include "train/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"

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

// Files follow each other with an end-of-text token between them.
std::vector<Token> tokenize(const std::vector<std::string>& paths, const Tokenizer& tokenizer) {
  std::vector<Token> tokens;
  for (const std::string& path : paths) {
    if (!tokens.empty()) tokens.push_back(tokenizer.end_of_text());
    const std::vector<Token> file_tokens = tokenizer.encode(read_file(path));
    tokens.insert(tokens.end(), file_tokens.begin(), file_tokens.end());
  }
  return tokens;
}

}  // namespace

TokenSource open_tokens(const std::vector<std::string>& paths, const Tokenizer* tokenizer) {
  if (all_shards(paths)) return TokenSource::open_shards(paths);
  require(tokenizer != nullptr, "text needs a tokenizer");
  return TokenSource::from_tokens(tokenize(paths, *tokenizer));
}

Dataset open_dataset(const std::vector<std::string>& data, const std::vector<std::string>& val,
                     const std::shared_ptr<const Tokenizer>& tokenizer) {
  Dataset dataset;
  const bool shards = all_shards(data);
  if (!val.empty() && all_shards(val) != shards) throw mixed_kinds();
  dataset.tokenizer = tokenizer || shards ? tokenizer : make_byte_tokenizer();
  if (!val.empty()) dataset.val = open_tokens(val, dataset.tokenizer.get());
  if (shards || !val.empty()) {
    dataset.train = open_tokens(data, dataset.tokenizer.get());
    return dataset;
  }
  std::vector<Token> tokens = tokenize(data, *dataset.tokenizer);
  const auto held_out = static_cast<size_t>(kHeldOutShare * double(tokens.size()));
  const auto boundary = tokens.end() - static_cast<std::ptrdiff_t>(held_out);
  dataset.val = TokenSource::from_tokens({boundary, tokens.end()});
  tokens.erase(boundary, tokens.end());
  dataset.train = TokenSource::from_tokens(std::move(tokens));
  return dataset;
}

}  // namespace weft
