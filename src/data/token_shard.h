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

// Returns the tokens of a mapped file. Throws Error (kInput) that begins with the path for a wrong
// magic number or version, a size that contradicts the header's count, no tokens, or an odd size of
// a raw-u16 file.
Vector<const Token> tokens_in(const std::string& path, const MappedFile& file, TokenFormat format);

// True if the bytes begin like a llm.c token shard, a LLaMA-3 shard included.
bool begins_like_shard(const MappedFile& file);

// The same for a file; false if it cannot be read. For a LLaMA-3 shard, which weft does not
// support, tokens_in throws an Error that says so.
bool is_token_shard(const std::string& path);

// REQUIRES: tokens <= kMostShardTokens.
LlmcHeader shard_header(size_t tokens);

// Writes a llm.c token shard durably. Throws Error if there are no tokens, too many for the 32-bit
// count, or the disk is full.
void write_token_shard(const std::string& path, Vector<const Token> tokens);

}  // namespace weft
