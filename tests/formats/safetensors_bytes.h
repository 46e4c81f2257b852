// Safetensors files written by hand, valid or not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft {

inline std::string little_endian_u64(uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  return little_endian_u64(header.size()).append(header).append(data);
}

}  // namespace weft
