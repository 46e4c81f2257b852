#include "data/pretokenizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "data/utf8.h"

namespace weft {
namespace {

enum class CharClass : uint8_t { kLetter, kNumber, kSpace, kOther };

struct ClassifiedChar {
  CharClass char_class;
  size_t bytes;
};

// Unicode's White_Space property. utf8proc knows general categories only, and they differ: U+0009
// to U+000D and U+0085 are controls.
constexpr bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

constexpr CharClass classify_ascii(char32_t c) {
  if (is_space(c)) return CharClass::kSpace;
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return CharClass::kLetter;
  if (c >= '0' && c <= '9') return CharClass::kNumber;
  return CharClass::kOther;
}

constexpr auto kAsciiClass = [] {
  std::array<CharClass, 0x80> classes{};
  for (size_t c = 0; c < classes.size(); ++c) classes[c] = classify_ascii(c);
  return classes;
}();

CharClass classify(char32_t c) {
  if (is_space(c)) return CharClass::kSpace;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return CharClass::kLetter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharClass::kNumber;
    default:
      return CharClass::kOther;
  }
}

ClassifiedChar first_char(std::string_view text) {
  const uint8_t byte = text[0];
  if (byte < kAsciiClass.size()) return {kAsciiClass[byte], 1};
  const Utf8Char c = decode_utf8(text);
  if (c.kind != Utf8Kind::kValid) return {CharClass::kOther, 1};
  return {classify(c.code_point), c.bytes};
}

// The length of the run of characters of one class at the beginning of the text.
size_t run_length(std::string_view text, CharClass char_class) {
  size_t length = 0;
  while (length < text.size()) {
    const ClassifiedChar c = first_char(text.substr(length));
    if (c.char_class != char_class) break;
    length += c.bytes;
  }
  return length;
}

// 's|'t|'re|'ve|'m|'ll|'d
size_t contraction_length(std::string_view text) {
  if (text[0] != '\'') return 0;
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(ending)) return ending.size();
  }
  return 0;
}

// The length of a piece that begins with a run of white space. A run at the end of the text is one
// piece. Any other run of several characters leaves its last character to the next piece. A single
// U+0020 joins the characters after it, and another single character is a piece of its own.
size_t length_from_space(std::string_view text) {
  size_t last = 0, end = 0;
  while (end < text.size()) {
    const ClassifiedChar c = first_char(text.substr(end));
    if (c.char_class != CharClass::kSpace) break;
    last = end;
    end += c.bytes;
  }
  if (end == text.size()) return end;
  if (last > 0) return last;
  if (text[0] != ' ') return end;
  const std::string_view rest = text.substr(end);
  return end + run_length(rest, first_char(rest).char_class);
}

// The length of the white space character at the end of the text; 0 if there is none. A lead byte
// always begins a character, so looking backwards finds the same character as a scan from the
// front.
size_t last_space_length(std::string_view text) {
  constexpr size_t kLongest = 3;
  for (size_t length = 1; length <= std::min(kLongest, text.size()); ++length) {
    const ClassifiedChar c = first_char(text.substr(text.size() - length));
    if (c.char_class == CharClass::kSpace && c.bytes == length) return length;
  }
  return 0;
}

}  // namespace

size_t first_piece(std::string_view text) noexcept {
  if (const size_t length = contraction_length(text)) return length;
  const CharClass char_class = first_char(text).char_class;
  if (char_class == CharClass::kSpace) return length_from_space(text);
  return run_length(text, char_class);
}

size_t last_safe_cut(std::string_view text) noexcept {
  for (size_t end = text.size(); end > 0; --end) {
    const size_t length = last_space_length(text.substr(0, end));
    if (length == 0 || length == end) continue;
    const size_t cut = end - length;
    if (last_space_length(text.substr(0, cut)) == 0) return cut;
  }
  return 0;
}

}  // namespace weft
