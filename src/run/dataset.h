// Dataset: training and validation tokens with their tokenizer, ready to draw batches from.
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
  bool val_is_held_out = false;                // val is the end of the training text
  std::shared_ptr<const Tokenizer> tokenizer;  // null for shards that came without one
};

// Opens token shards (llm.c's), raw-u16 files (nanoGPT's) if the format says so, or UTF-8 text as
// list_corpus accepts it (files, folders, JSON Lines), which is tokenized here; tokens and text
// cannot be mixed. Without validation input, the last 10 % of a text is held out (nothing of
// shards).
//   tokenizer: null means `bytes` for text, none for shards.
// Throws Error (kInput): missing or malformed files, no match for a glob, mixed kinds.
Dataset open_dataset(const std::vector<std::string>& data, const std::vector<std::string>& val,
                     const std::shared_ptr<const Tokenizer>& tokenizer,
                     TokenFormat format = TokenFormat::kShard);

// Opens tokens or text as one source. Throws Error (kInput) as open_dataset does, and for text
// without a tokenizer.
TokenSource open_tokens(const std::vector<std::string>& paths, const Tokenizer* tokenizer,
                        TokenFormat format = TokenFormat::kShard);

// Throws Error (kInput) unless both parts hold a sequence of T tokens and its target.
void check_lengths(const Dataset& dataset, int64_t T);

}  // namespace weft
