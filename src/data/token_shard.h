// Token files: llm.c's shards and nanoGPT's headerless ones.
//
//   shard   = header token+      of exactly 1024 + 2 n bytes
//   header  = int32[256]: magic 20240520, version 1, n (the number of tokens, > 0), zeros
//   raw-u16 = token+             train.bin and val.bin of nanoGPT
//   token   = uint16
//
// All little-endian. The shard of the tokens 5 and 256 begins 88 D8 34 01, 01 00 00 00, 02 00 00 00
// and ends 05 00, 00 01.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "base/files.h"
#include "base/llmc_header.h"
#include "base/view.h"
#include "data/tokenizer.h"

namespace weft {

enum class TokenFormat { kShard, kRawU16 };

constexpr size_t kMostShardTokens = std::numeric_limits<int32_t>::max();

// The tokens of a file that is mapped. Throws Error (kInput) that begins with the path: wrong magic
// or version, a size that does not equal the header's count, no tokens; raw-u16: an odd size.
Vector<const Token> tokens_in(const std::string& path, const MappedFile& file, TokenFormat format);

// True if the bytes begin as a llm.c token shard does, a LLaMA-3 shard included.
bool begins_like_shard(const MappedFile& file);

// The same of a file; false for anything shorter or different, and for what cannot be read.
// tokens_in says why weft does not read a LLaMA-3 shard.
bool is_token_shard(const std::string& path);

// REQUIRES: tokens <= kMostShardTokens.
LlmcHeader shard_header(size_t tokens);

// Writes a llm.c token shard durably. Throws Error: no tokens, too many for the 32-bit count, full
// disk.
void write_token_shard(const std::string& path, Vector<const Token> tokens);

}  // namespace weft
