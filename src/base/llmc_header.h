// The header that every binary file of llm.c begins with.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

static_assert(std::endian::native == std::endian::little, "llm.c's files are little-endian");

// Magic number, version, what the format puts behind them, zeros.
using LlmcHeader = std::array<int32_t, 256>;

// As much of the header as the file has; the rest is zero.
inline LlmcHeader read_llmc_header(std::span<const std::byte> file) {
  LlmcHeader header = {};
  std::copy_n(file.begin(), std::min(file.size(), sizeof(header)),
              std::as_writable_bytes(std::span(header)).begin());
  return header;
}

}  // namespace weft
