// decode_utf8: decodes one character of bytes that should be UTF-8 but may be malformed.
#pragma once

#include <cstddef>
#include <string_view>

namespace weft {

enum class Utf8Kind {
  kValid,       // a whole character
  kInvalid,     // bytes that no continuation turns into a character
  kIncomplete,  // the text ends inside a possible character
};

struct Utf8Char {
  Utf8Kind kind;
  size_t bytes;         // length of the character, or of the maximal subpart of an ill-formed one
  char32_t code_point;  // of a valid character, else 0
};

// Decodes the beginning of the text. A "maximal subpart" (Unicode 15, section 3.9) is the longest
// prefix of some character, or one byte if there is none: the unit that one U+FFFD replaces.
// REQUIRES: text is not empty.
Utf8Char decode_utf8(std::string_view text) noexcept;

}  // namespace weft
