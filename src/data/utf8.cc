#include "data/utf8.h"

#include <cstdint>

namespace weft {
namespace {

struct LeadByte {
  size_t bytes;  // of the whole character; 0 if no character begins with this byte
  // The range of the second byte. It is narrower where a character would be overlong, a surrogate,
  // or above U+10FFFF.
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xBF;
};

// Unicode 15, table 3-7: well-formed UTF-8 byte sequences.
constexpr LeadByte lead_byte(uint8_t byte) {
  if (byte < 0x80) return {1};
  if (byte < 0xC2) return {0};
  if (byte < 0xE0) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

// The bits of the code point that the first byte of a character of `bytes` bytes holds.
constexpr char32_t lead_bits(uint8_t byte, size_t bytes) {
  return bytes == 1 ? byte : byte & (0x7F >> bytes);
}

}  // namespace

Utf8Char decode_utf8(std::string_view text) noexcept {
  const uint8_t first = text[0];
  const LeadByte lead = lead_byte(first);
  if (lead.bytes == 0) return {Utf8Kind::kInvalid, 1, 0};
  char32_t code_point = lead_bits(first, lead.bytes);
  for (size_t i = 1; i < lead.bytes; ++i) {
    if (i == text.size()) return {Utf8Kind::kIncomplete, i, 0};
    const uint8_t byte = text[i];
    const uint8_t min = i == 1 ? lead.second_min : 0x80;
    const uint8_t max = i == 1 ? lead.second_max : 0xBF;
    if (byte < min || byte > max) return {Utf8Kind::kInvalid, i, 0};
    code_point = code_point << 6 | (byte & 0x3F);
  }
  return {Utf8Kind::kValid, lead.bytes, code_point};
}

}  // namespace weft
