// What the readers of vocabulary files share: entries and merges become a checked BpeVocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/bpe.h"

namespace weft {

inline constexpr size_t kMaxTokens = size_t{std::numeric_limits<Token>::max()} + 1;

// Makes the Error that names the file and says what is wrong with it.
using Complaint = std::function<Error(std::string_view what)>;

// A JSON string in ASCII: as OpenAI and Hugging Face write tokens, and safe to print.
std::string json_string(std::string_view text);

// The same, cut: for messages, in which an endless token would hide the rest.
std::string excerpt(std::string_view text);

struct TokenEntry {
  std::string spelling;  // in the byte alphabet
  uint64_t id;
};

// The bytes of every id. Throws the complaint unless every id from 0 on occurs once and every token
// is spelled in the byte alphabet; and if there are more tokens than 16-bit ids.
std::vector<std::string> tokens_by_id(const std::vector<TokenEntry>& entries,
                                      const Complaint& complaint);

using TokenIds = std::unordered_map<std::string_view, Token>;  // by the token's bytes

// REQUIRES: tokens outlives the result.
TokenIds ids_by_token(const std::vector<std::string>& tokens);

// Throws the complaint if a single byte is no token.
void check_single_bytes(const TokenIds& ids, const Complaint& complaint);

// Turns spelled merges into ids. Throws the complaint that add() is given.
class MergeParser {
 public:
  explicit MergeParser(const TokenIds& ids) : ids_(ids) {}

  void add(std::string_view left, std::string_view right, const Complaint& complaint);
  std::vector<BpeMerge> take() { return std::move(merges_); }

 private:
  const TokenIds& ids_;
  std::set<std::pair<Token, Token>> pairs_;
  std::vector<BpeMerge> merges_;
};

// Merges that were cut short, or that belong to another vocabulary, are well formed but would
// encode text differently. It shows in tokens that no merge makes and that are not special: neither
// among vocabulary.special_tokens nor looking so, like [PAD]. The latter join special_tokens.
// Throws the complaint.
void find_special_tokens(BpeVocabulary& vocabulary, const Complaint& complaint);

}  // namespace weft
