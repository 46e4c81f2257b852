// Dataset: what `--data`, `--val` and `--tokenizer` name, opened and ready to draw batches from.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/token_source.h"
#include "data/tokenizer.h"

namespace weft {

struct Dataset {
  TokenSource train;
  std::optional<TokenSource> val;
  std::shared_ptr<const Tokenizer> tokenizer;  // null for shards without `--tokenizer`
};

// Opens token shards (llm.c's) or UTF-8 text files, which are tokenized here; the two cannot be
// mixed. Without validation input, the last 10 % of a text is held out (shards hold nothing out).
//   tokenizer: null means `bytes` for text, none for shards.
// Throws Error (kInput): missing or malformed files, no match for a glob, mixed kinds.
Dataset open_dataset(const std::vector<std::string>& data, const std::vector<std::string>& val,
                     const std::shared_ptr<const Tokenizer>& tokenizer);

// Opens shards or text as one source; text needs a tokenizer.
TokenSource open_tokens(const std::vector<std::string>& paths, const Tokenizer* tokenizer);

}  // namespace weft
