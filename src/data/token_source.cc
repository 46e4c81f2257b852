#include "data/token_source.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/math.h"

namespace weft {
namespace {

constexpr const char* kOpen = "data.open";

// Expands a pattern to paths. A path that exists stands for itself, even if it contains wildcards.
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

TokenSource TokenSource::open_shards(const std::vector<std::string>& patterns, TokenFormat format) {
  TokenSource source;
  for (const std::string& pattern : patterns) {
    for (const std::string& path : matches(pattern)) {
      auto file = std::make_shared<const MappedFile>(path);
      const Vector<const Token> tokens = tokens_in(path, *file, format);
      if (format == TokenFormat::kRawU16 && begins_like_shard(*file)) {
        source.warnings_.push_back(path +
                                   " looks like an llm.c shard: read as raw-u16, its header is 512 "
                                   "junk tokens");
      }
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

}  // namespace weft
