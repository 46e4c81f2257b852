// The header at the beginning of every binary file of llm.c.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

static_assert(std::endian::native == std::endian::little, "llm.c's files are little-endian");

// Magic number, version, fields of the format, zeros.
using LlmcHeader = std::array<int32_t, 256>;

// Reads the header; if the file is shorter, the rest is zero.
inline LlmcHeader read_llmc_header(std::span<const std::byte> file) {
  LlmcHeader header = {};
  std::copy_n(file.begin(), std::min(file.size(), sizeof(header)),
              std::as_writable_bytes(std::span(header)).begin());
  return header;
}

}  // namespace weft
