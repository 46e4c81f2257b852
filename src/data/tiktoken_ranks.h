// tiktoken's rank files, for example r50k_base.tiktoken.
//
//   IQ== 0
//   Ig== 1
//   token in base64, one space, rank; one a line, in any order
#pragma once

#include <filesystem>

#include "data/bpe.h"

namespace weft {

// The ids are the ranks, and the end-of-text token follows the last. Throws Error (kInput) that
// names the line or the token: malformed, a rank or a token twice, a rank or a single byte missing,
// or a token that no two tokens of lower rank make.
//
// tiktoken merges the neighbours whose concatenation has the lowest rank; the merges here name the
// two tokens instead, and give the same ids. Take a token of rank r, and encode its own bytes with
// the tokens below r: what is left is two tokens, its one merge. Wherever these bytes are to become
// the token in a text, no merge has crossed their ends, so all merges among them were those of the
// bytes alone, and the neighbours are these two.
BpeVocabulary read_tiktoken_ranks(const std::filesystem::path& file);

}  // namespace weft
