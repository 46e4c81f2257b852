// tiktoken's rank files, for example r50k_base.tiktoken.
//
//   IQ== 0
//   Ig== 1
//   token in base64, one space, rank; one token per line, in any order
#pragma once

#include <filesystem>

#include "data/bpe.h"

namespace weft {

// The ids are the ranks, and the end-of-text token gets the next id. Throws Error (kInput) that
// names the line or the token if a line is malformed, a rank or a token occurs twice, a rank or a
// single byte is missing, or a token is not the concatenation of two tokens of lower rank.
//
// tiktoken merges the neighbours whose concatenation has the lowest rank. The merges here name the
// two tokens instead and give the same ids: encoding the bytes of a token of rank r with the tokens
// below r leaves two tokens, which are its only merge. Where these bytes become the token in a
// text, no merge has crossed their ends, so the merges inside were those of the bytes alone, and
// the two neighbours are the same.
BpeVocabulary read_tiktoken_ranks(const std::filesystem::path& file);

}  // namespace weft
