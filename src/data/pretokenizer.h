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

// The last position at which the text may be cut so that both sides, encoded apart, give the ids of
// the whole, and do so whatever is appended to the text: before a whitespace character that follows
// another character. No piece crosses such a place, no piece before it looks beyond it, and no
// special token has a whitespace. 0 if there is none. Reads back from the end as far as the cut.
size_t last_safe_cut(std::string_view text) noexcept;

}  // namespace weft
