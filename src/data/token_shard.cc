#include "data/token_shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/file_writer.h"

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little, "token shards are little-endian");

constexpr int32_t kMagic = 20240520;
constexpr int32_t kVersion = 1;
constexpr int32_t kLlama3Magic = 20240801;

constexpr const char* kOpen = "data.open";

Error shard_error(const std::string& path, const std::string& what, std::string hint = {}) {
  return input_error(kOpen, path + " " + what, std::move(hint));
}

void check_magic(const std::string& path, const LlmcHeader& header, bool may_be_raw) {
  if (header[0] == kLlama3Magic) {
    throw shard_error(path, "holds LLaMA-3 tokens of 32 bits; weft reads GPT-2 tokens of 16 bits",
                      "tokenize the text for GPT-2");
  }
  if (header[0] != kMagic) {
    throw shard_error(
        path, fmt::format("is not a token shard (magic number {}, expected {})", header[0], kMagic),
        may_be_raw ? "if it holds nanoGPT's tokens, say --data-format raw-u16"
                   : "make shards with weft tokenize");
  }
}

void check_header_is_whole(const std::string& path, size_t bytes) {
  if (bytes >= sizeof(LlmcHeader)) return;
  throw shard_error(
      path,
      fmt::format("is truncated: {} bytes, the header alone has {}", bytes, sizeof(LlmcHeader)),
      "copy or make it again");
}

void check_version(const std::string& path, const LlmcHeader& header) {
  if (header[1] != kVersion) {
    throw shard_error(path, fmt::format("is a token shard of version {}; weft reads version {}",
                                        header[1], kVersion));
  }
}

void check_size(const std::string& path, const LlmcHeader& header, size_t size) {
  const auto bytes = static_cast<int64_t>(size);
  const int64_t n = header[2];
  if (n <= 0) throw shard_error(path, fmt::format("has no tokens (its header says {})", n));
  const int64_t expected = sizeof(LlmcHeader) + n * static_cast<int64_t>(sizeof(Token));
  if (bytes != expected) {
    throw shard_error(
        path,
        fmt::format("{}: {} bytes, its header says {} tokens = {} bytes",
                    bytes < expected ? "is truncated" : "has trailing bytes", bytes, n, expected),
        "copy or make it again");
  }
}

bool holds_whole_tokens(size_t bytes) { return bytes > 0 && bytes % sizeof(Token) == 0; }

// The tokens are aligned: a mapping starts at a page, and a header has 1024 bytes.
Vector<const Token> tokens_from(const MappedFile& file, size_t offset) {
  const auto payload = file.bytes().subspan(offset);
  return {reinterpret_cast<const Token*>(payload.data()), payload.size() / sizeof(Token)};
}

Vector<const Token> shard_tokens(const std::string& path, const MappedFile& file) {
  const LlmcHeader header = read_llmc_header(file.bytes());
  check_magic(path, header, holds_whole_tokens(file.bytes().size()));
  check_header_is_whole(path, file.bytes().size());
  check_version(path, header);
  check_size(path, header, file.bytes().size());
  return tokens_from(file, sizeof(LlmcHeader));
}

Vector<const Token> raw_tokens(const std::string& path, const MappedFile& file) {
  const size_t bytes = file.bytes().size();
  if (bytes == 0) throw shard_error(path, "is empty: it has no tokens");
  if (!holds_whole_tokens(bytes)) {
    throw shard_error(path,
                      fmt::format("has {} bytes: tokens of 16 bits need an even number", bytes),
                      "it is truncated, or no raw-u16 file");
  }
  return tokens_from(file, 0);
}

}  // namespace

Vector<const Token> tokens_in(const std::string& path, const MappedFile& file, TokenFormat format) {
  return format == TokenFormat::kShard ? shard_tokens(path, file) : raw_tokens(path, file);
}

bool begins_like_shard(const MappedFile& file) {
  const int32_t magic = read_llmc_header(file.bytes())[0];
  return magic == kMagic || magic == kLlama3Magic;
}

bool is_token_shard(const std::string& path) {
  try {
    return begins_like_shard(MappedFile(path));
  } catch (const Error&) {
    return false;
  }
}

LlmcHeader shard_header(size_t tokens) {
  weft::require(tokens <= kMostShardTokens, "a shard counts its tokens in 31 bits");
  return {kMagic, kVersion, static_cast<int32_t>(tokens)};
}

void write_token_shard(const std::string& path, Vector<const Token> tokens) {
  if (tokens.empty()) throw input_error("data.write", "no tokens to write to " + path);
  if (tokens.size() > kMostShardTokens) {
    throw input_error("data.write",
                      fmt::format("{} tokens do not fit in {}: a shard holds at most {}",
                                  tokens.size(), path, kMostShardTokens),
                      "write several shards");
  }
  const LlmcHeader header = shard_header(tokens.size());
  FileWriter writer(path);
  writer.append(header.data(), sizeof(header));
  writer.append(tokens.data(), tokens.size_bytes());
  writer.finish();
}

}  // namespace weft
