// Pre-tokenisation: cuts text into the pieces across which GPT-2's BPE never merges.
#pragma once

#include <cstddef>
#include <string_view>

namespace weft {

// Returns the length in bytes of the text's first piece. Remove the piece and call again for the
// next one. This is a hand-written scanner for GPT-2's regular expression
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// with the classes of Unicode 15.0 (utf8proc 2.8). A byte that is not part of a valid UTF-8
// character counts like U+FFFD, which is neither letter, number nor space. Cutting a text into all
// its pieces takes linear time: each byte is read a bounded number of times. REQUIRES: text is not
// empty.
size_t first_piece(std::string_view text) noexcept;

// Returns the last position at which the text may be cut so that both parts, encoded separately,
// give the ids of the whole, whatever is appended later; 0 if there is none. Such a position lies
// before a white space character that follows another character: no piece crosses it, no piece
// before it depends on the text after it, and no special token contains white space. Reads
// backwards from the end to the cut.
size_t last_safe_cut(std::string_view text) noexcept;

}  // namespace weft
