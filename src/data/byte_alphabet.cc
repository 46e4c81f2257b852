#include "data/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "data/utf8.h"

namespace weft {
namespace {

constexpr bool stands_for_itself(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

constexpr auto kCodePointOfByte = [] {
  std::array<char32_t, 256> code_points{};
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    code_points[byte] = stands_for_itself(byte) ? byte : next++;
  }
  return code_points;
}();

constexpr int kNoByte = -1;
constexpr size_t kCodePoints = 0x100 + 68;

constexpr auto kByteOfCodePoint = [] {
  std::array<int, kCodePoints> bytes{};
  bytes.fill(kNoByte);
  for (int byte = 0; byte < 256; ++byte) bytes[kCodePointOfByte[byte]] = byte;
  return bytes;
}();

}  // namespace

std::string spell_bytes(std::string_view bytes) {
  std::string spelling;
  for (const uint8_t byte : bytes) {
    const char32_t c = kCodePointOfByte[byte];
    if (c < 0x80) {
      spelling += static_cast<char>(c);
    } else {  // every other character of the alphabet has two bytes
      spelling += static_cast<char>(0xC0 | c >> 6);
      spelling += static_cast<char>(0x80 | (c & 0x3F));
    }
  }
  return spelling;
}

std::optional<std::string> unspell_bytes(std::string_view spelling) {
  std::string bytes;
  while (!spelling.empty()) {
    const Utf8Char c = decode_utf8(spelling);
    if (c.kind != Utf8Kind::kValid || c.code_point >= kCodePoints) return std::nullopt;
    const int byte = kByteOfCodePoint[c.code_point];
    if (byte == kNoByte) return std::nullopt;
    bytes += static_cast<char>(byte);
    spelling.remove_prefix(c.bytes);
  }
  return bytes;
}

}  // namespace weft
