// Pre-tokenisation: where GPT-2 cuts text into pieces that BPE never merges across.
#pragma once

#include <cstddef>
#include <string_view>

namespace weft {

// The length in bytes of the text's first piece; remove it and ask again for the next. This is a
// hand-written scanner for GPT-2's regular expression
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// with the classes of Unicode 15.0 (utf8proc 2.8). Each byte that is part of no valid UTF-8
// character counts as U+FFFD does: neither letter, number nor space. Linear in the text: walking
// over all pieces reads each byte a bounded number of times. REQUIRES: text is not empty.
size_t first_piece(std::string_view text) noexcept;

// Where a text can be cut so that both sides have, together, the pieces of the whole, whatever text
// follows: the last place before an ASCII space, tab or line end that follows a character which is
// no space. 0 if there is none. Looks from the end: linear in what lies behind the cut.
size_t last_safe_cut(std::string_view text) noexcept;

}  // namespace weft
