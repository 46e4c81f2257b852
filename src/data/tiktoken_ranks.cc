#include "data/tiktoken_ranks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "data/byte_alphabet.h"
#include "data/merge_table.h"
#include "data/vocabulary_parts.h"

namespace weft {
namespace {

using std::filesystem::path;

constexpr const char* kHint =
    "expected tiktoken's rank file of GPT-2 (r50k_base.tiktoken): lines of a token in base64, one "
    "space, and its rank";

// The six bits of a base64 character; -1 for other characters.
constexpr int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// Decodes base64 (RFC 4648, section 4) with padding. Empty if the text is not base64.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  text.remove_suffix(padding);
  std::string bytes;
  uint32_t bits = 0;
  int held = 0;  // bits of an incomplete byte
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xFF);
  }
  const bool leaves_bits = (bits & ((1U << held) - 1)) != 0;
  if (leaves_bits) return std::nullopt;
  return bytes;
}

TokenEntry parse_line(std::string_view line, const Complaint& complaint) {
  const size_t space = line.find(' ');
  const auto bytes = decode_base64(line.substr(0, space));
  if (space == line.npos || !bytes || bytes->empty()) {
    throw complaint(excerpt(line) + " is not a token in base64 and its rank");
  }
  uint64_t rank = 0;
  const char* end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + space + 1, end, rank);
  if (error != std::errc() || stop != end) {
    throw complaint(fmt::format("rank {} is no whole number", excerpt(line.substr(space + 1))));
  }
  return {spell_bytes(*bytes), rank};
}

std::vector<TokenEntry> parse_lines(std::string_view text, const Complaint& complaint) {
  std::vector<TokenEntry> entries;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    entries.push_back(parse_line(line, [&](std::string_view what) {
      return complaint(fmt::format("line {}: {}", entries.size() + 1, what));
    }));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return entries;
}

// For each token, the two tokens that remain of its bytes if only the merges before it are applied.
std::vector<BpeMerge> derive_merges(const std::vector<std::string>& tokens,
                                    const Complaint& complaint) {
  MergeTable table(single_byte_ids(tokens));
  std::vector<BpeMerge> merges;
  std::vector<Token> parts;
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].size() == 1) continue;
    parts.clear();
    table.merge(tokens[id], parts);
    if (parts.size() != 2) {
      throw complaint(fmt::format("token {} ({}) is not made of two tokens of lower rank", id,
                                  excerpt(spell_bytes(tokens[id]))));
    }
    merges.push_back({parts[0], parts[1], Token(id)});
    table.add(parts[0], parts[1], Token(id));
  }
  return merges;
}

}  // namespace

BpeVocabulary read_tiktoken_ranks(const path& file) {
  const Complaint complaint = [&](std::string_view what) {
    return input_error("tokenizer", fmt::format("{}: {}", file.string(), what), kHint);
  };
  std::vector<TokenEntry> entries = parse_lines(read_file(file), complaint);
  entries.push_back({std::string(kEndOfText), entries.size()});
  BpeVocabulary vocabulary;
  vocabulary.tokens = tokens_by_id(entries, complaint);
  vocabulary.end_of_text = static_cast<Token>(entries.size() - 1);
  const TokenIds ids = ids_by_token(vocabulary.tokens);
  if (ids.size() < vocabulary.tokens.size()) throw complaint("a token occurs twice");
  check_single_bytes(ids, complaint);
  const std::vector<std::string> ranked(vocabulary.tokens.begin(), vocabulary.tokens.end() - 1);
  vocabulary.merges = derive_merges(ranked, complaint);
  find_special_tokens(vocabulary, complaint);
  return vocabulary;
}

}  // namespace weft
