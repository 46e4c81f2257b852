#include "data/vocabulary_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/byte_alphabet.h"

namespace weft {
namespace {

using nlohmann::json;

bool looks_special(std::string_view token) {
  return (token.starts_with('<') && token.ends_with('>')) ||
         (token.starts_with('[') && token.ends_with(']'));
}

std::string unspell(std::string_view spelling, const Complaint& complaint) {
  auto bytes = unspell_bytes(spelling);
  if (!bytes) throw complaint(excerpt(spelling) + " is not spelled in the byte alphabet");
  return *std::move(bytes);
}

Token find(const TokenIds& ids, const std::string& bytes, const Complaint& complaint) {
  const auto found = ids.find(bytes);
  if (found == ids.end()) {
    throw complaint(excerpt(spell_bytes(bytes)) + " is not in the vocabulary");
  }
  return found->second;
}

}  // namespace

std::string json_string(std::string_view text) {
  return json(text).dump(-1, ' ', true, json::error_handler_t::replace);
}

std::string excerpt(std::string_view text) {
  constexpr size_t kShown = 40;
  return json_string(text.substr(0, kShown)) + (text.size() > kShown ? "..." : "");
}

// There are as many ids as entries, each is below their number, and none occurs twice: so each id
// occurs exactly once.
std::vector<std::string> tokens_by_id(const std::vector<TokenEntry>& entries,
                                      const Complaint& complaint) {
  if (entries.size() > kMaxTokens) {
    throw complaint(
        fmt::format("has more than {} tokens, the most that 16-bit ids allow", kMaxTokens));
  }
  std::vector<std::string> tokens(entries.size());
  for (const auto& [spelling, id] : entries) {
    const auto bytes = unspell_bytes(spelling);
    if (!bytes || bytes->empty()) {
      throw complaint(
          fmt::format("token {} is not spelled in the byte alphabet", excerpt(spelling)));
    }
    if (id >= tokens.size()) {
      throw complaint(fmt::format("token {} has id {}, but there are only {} tokens",
                                  excerpt(spelling), id, tokens.size()));
    }
    if (!tokens[id].empty()) throw complaint(fmt::format("id {} occurs twice", id));
    tokens[id] = *bytes;
  }
  return tokens;
}

TokenIds ids_by_token(const std::vector<std::string>& tokens) {
  TokenIds ids;
  ids.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) ids.emplace(tokens[id], Token(id));
  return ids;
}

void check_single_bytes(const TokenIds& ids, const Complaint& complaint) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (!ids.contains({&c, 1})) {
      throw complaint(fmt::format("no token is the single byte {:#04x}, spelled {}", byte,
                                  json_string(spell_bytes({&c, 1}))));
    }
  }
}

void MergeParser::add(std::string_view left, std::string_view right, const Complaint& complaint) {
  const std::string left_bytes = unspell(left, complaint);
  const std::string right_bytes = unspell(right, complaint);
  const BpeMerge merge = {find(ids_, left_bytes, complaint), find(ids_, right_bytes, complaint),
                          find(ids_, left_bytes + right_bytes, complaint)};
  if (!pairs_.insert({merge.left, merge.right}).second) throw complaint("repeats a merge");
  merges_.push_back(merge);
}

void find_special_tokens(BpeVocabulary& vocabulary, const Complaint& complaint) {
  std::vector<Token>& special = vocabulary.special_tokens;
  if (std::ranges::count(special, vocabulary.end_of_text) == 0) {
    special.push_back(vocabulary.end_of_text);
  }
  std::vector<bool> is_known(vocabulary.tokens.size());
  for (const BpeMerge& merge : vocabulary.merges) is_known[merge.result] = true;
  for (const Token id : special) is_known[id] = true;
  for (size_t id = 0; id < is_known.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (is_known[id] || token.size() == 1) continue;
    if (!looks_special(token)) {
      throw complaint(fmt::format("no merge makes token {} ({}): is the file cut short?", id,
                                  excerpt(spell_bytes(token))));
    }
    special.push_back(Token(id));
  }
  std::ranges::sort(special);
}

}  // namespace weft
