// Helpers of the readers of vocabulary files: they turn entries and merges into a checked
// BpeVocabulary.
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

// Makes an Error that names the file and the problem; the caller throws it.
using Complaint = std::function<Error(std::string_view what)>;

// Returns a JSON string in ASCII, as OpenAI and Hugging Face write tokens. It is safe to print.
std::string json_string(std::string_view text);

// The same, but cut to a length that does not hide the rest of a message.
std::string excerpt(std::string_view text);

struct TokenEntry {
  std::string spelling;  // in the byte alphabet
  uint64_t id;
};

// Returns the bytes of every id. Throws the complaint unless every id from 0 on occurs once, every
// token is spelled in the byte alphabet, and the ids fit 16 bits.
std::vector<std::string> tokens_by_id(const std::vector<TokenEntry>& entries,
                                      const Complaint& complaint);

using TokenIds = std::unordered_map<std::string_view, Token>;  // by the token's bytes

// REQUIRES: tokens outlives the result.
TokenIds ids_by_token(const std::vector<std::string>& tokens);

// Throws the complaint if some single byte is not a token.
void check_single_bytes(const TokenIds& ids, const Complaint& complaint);

// Turns spelled merges into ids. add() throws the complaint that its caller passes.
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

// Checks that the merges belong to the vocabulary. A truncated list of merges, or that of another
// vocabulary, is well formed but would encode text differently. Such a list leaves tokens that no
// merge produces and that are not special: neither in vocabulary.special_tokens nor spelled like a
// special token, such as [PAD]. Tokens that are spelled so are added to special_tokens.
// Throws the complaint.
void find_special_tokens(BpeVocabulary& vocabulary, const Complaint& complaint);

}  // namespace weft
