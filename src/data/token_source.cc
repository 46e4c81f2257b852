#include "data/token_source.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <limits>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/file_writer.h"
#include "base/math.h"

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little, "token shards are little-endian");

// A shard is 256 int32 (magic, version, number of tokens, zeros) and the tokens, 16 bits each.
using ShardHeader = std::array<int32_t, 256>;
constexpr int32_t kMagic = 20240520;
constexpr int32_t kVersion = 1;
constexpr int32_t kLlama3Magic = 20240801;

constexpr const char* kOpen = "data.open";

// As much of the header as the file has; the rest is zero.
ShardHeader read_header(Vector<const std::byte> bytes) {
  ShardHeader header = {};
  std::copy_n(bytes.begin(), std::min(bytes.size(), sizeof(header)),
              std::as_writable_bytes(std::span(header)).begin());
  return header;
}

Error shard_error(const std::string& path, const std::string& what, std::string hint = {}) {
  return input_error(kOpen, path + " " + what, std::move(hint));
}

void check_kind(const std::string& path, const ShardHeader& header) {
  if (header[0] == kLlama3Magic) {
    throw shard_error(path, "holds LLaMA-3 tokens of 32 bits; weft reads GPT-2 tokens of 16 bits",
                      "tokenize the text for GPT-2");
  }
  if (header[0] != kMagic) {
    throw shard_error(path, fmt::format("is not a token shard (magic number {}, expected {})",
                                        header[0], kMagic));
  }
  if (header[1] != kVersion) {
    throw shard_error(path, fmt::format("is a token shard of version {}; weft reads version {}",
                                        header[1], kVersion));
  }
}

void check_size(const std::string& path, const ShardHeader& header, size_t size) {
  const int64_t bytes = static_cast<int64_t>(size);
  const int64_t header_bytes = sizeof(ShardHeader);
  if (bytes < header_bytes) {
    throw shard_error(
        path, fmt::format("is truncated: {} bytes, the header alone has {}", bytes, header_bytes),
        "copy or make it again");
  }
  const int64_t n = header[2];
  if (n <= 0) throw shard_error(path, fmt::format("has no tokens (its header says {})", n));
  const int64_t expected = header_bytes + n * static_cast<int64_t>(sizeof(Token));
  if (bytes != expected) {
    throw shard_error(
        path,
        fmt::format("{}: {} bytes, its header says {} tokens = {} bytes",
                    bytes < expected ? "is truncated" : "has trailing bytes", bytes, n, expected),
        "copy or make it again");
  }
}

// The tokens inside a mapped shard. Aligned: a mapping starts at a page and the header is 1024
// bytes.
Vector<const Token> validated_tokens(const std::string& path, const MappedFile& file) {
  const ShardHeader header = read_header(file.bytes());
  check_kind(path, header);
  check_size(path, header, file.bytes().size());
  const std::byte* payload = file.bytes().data() + sizeof(ShardHeader);
  return {reinterpret_cast<const Token*>(payload), static_cast<size_t>(header[2])};
}

// The paths that a pattern stands for. A path that exists stands for itself, whatever is in it.
std::vector<std::string> matches(const std::string& pattern) {
  std::error_code ignored;
  if (std::filesystem::exists(pattern, ignored)) return {pattern};
  glob_t found = {};
  const int status = glob(pattern.c_str(), GLOB_TILDE, nullptr, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  if (status != 0) {
    throw input_error(kOpen, "no file matches " + pattern, "check the path");
  }
  return paths;
}

}  // namespace

void TokenSource::append(std::shared_ptr<const void> owner, Vector<const Token> tokens) {
  shards_.push_back({std::move(owner), tokens, total_});
  total_ += static_cast<int64_t>(tokens.size());
}

TokenSource TokenSource::open_shards(const std::vector<std::string>& patterns) {
  TokenSource source;
  for (const std::string& pattern : patterns) {
    for (const std::string& path : matches(pattern)) {
      auto file = std::make_shared<const MappedFile>(path);
      const Vector<const Token> tokens = validated_tokens(path, *file);
      source.append(std::move(file), tokens);
    }
  }
  return source;
}

TokenSource TokenSource::from_tokens(std::vector<Token> tokens) {
  TokenSource source;
  auto owner = std::make_shared<const std::vector<Token>>(std::move(tokens));
  const Vector<const Token> view = *owner;
  source.append(std::move(owner), view);
  return source;
}

int64_t TokenSource::samples(int64_t T) const {
  require(T >= 1, "a sample has at least one token");
  if (total_ - 1 < T) {
    throw input_error(
        "data",
        fmt::format("{} tokens are too few for one sequence of {} and its target", total_, T),
        "use more data or a shorter --seq-len");
  }
  return ceil_div(total_ - 1, T);
}

void TokenSource::sample(int64_t i, Vector<int32_t> inputs, Vector<int32_t> targets) const {
  const int64_t T = static_cast<int64_t>(inputs.size());
  const int64_t begin = std::min(i * T, total_ - 1 - T);  // the last sample ends at the last token
  copy(begin, inputs);
  copy(begin + 1, targets);
}

void TokenSource::copy(int64_t position, Vector<int32_t> out) const {
  // The shard that holds the position is the one before the first that starts after it.
  auto shard = std::upper_bound(shards_.begin(), shards_.end(), position,
                                [](int64_t p, const Shard& s) { return p < s.first; }) -
               1;
  size_t offset = static_cast<size_t>(position - shard->first);
  while (!out.empty()) {
    const size_t n = std::min(out.size(), shard->tokens.size() - offset);
    std::copy_n(shard->tokens.begin() + static_cast<ptrdiff_t>(offset), n, out.begin());
    out = out.subspan(n);
    ++shard;
    offset = 0;
  }
}

Token TokenSource::largest_token() const {
  Token largest = 0;
  for (const Shard& shard : shards_) {
    for (const Token token : shard.tokens) largest = std::max(largest, token);
  }
  return largest;
}

// A multiplicative chain (after FNV-1a, with a 64-bit odd multiplier): each step is a bijection of
// the state, so a changed token always changes it, and the order counts.
uint64_t TokenSource::fingerprint() const {
  constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15;
  uint64_t state = static_cast<uint64_t>(total_);
  for (const Shard& shard : shards_) {
    for (const Token token : shard.tokens) state = ((state ^ token) + 1) * kMultiplier;
  }
  return state ^ state >> 32;
}

bool is_token_shard(const std::string& path) {
  try {
    const MappedFile file(path);
    const int32_t magic = read_header(file.bytes())[0];
    return magic == kMagic || magic == kLlama3Magic;
  } catch (const Error&) {
    return false;
  }
}

void write_token_shard(const std::string& path, Vector<const Token> tokens) {
  constexpr size_t kMost = std::numeric_limits<int32_t>::max();
  if (tokens.empty()) throw input_error("data.write", "no tokens to write to " + path);
  if (tokens.size() > kMost) {
    throw input_error("data.write",
                      fmt::format("{} tokens do not fit in {}: a shard holds at most {}",
                                  tokens.size(), path, kMost),
                      "write several shards");
  }
  const ShardHeader header = {kMagic, kVersion, static_cast<int32_t>(tokens.size())};
  FileWriter writer(path);
  writer.append(header.data(), sizeof(header));
  writer.append(tokens.data(), tokens.size_bytes());
  writer.finish();
}

}  // namespace weft
