#include "runlog/event_records.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/error.h"

namespace weft {
namespace {

constexpr size_t kLengthBytes = sizeof(uint64_t), kChecksumBytes = sizeof(uint32_t);

// The remainder of each byte by the polynomial, lowest bit first.
constexpr std::array<uint32_t, 256> make_table() {
  constexpr uint32_t kPolynomial = 0x82f63b78;
  std::array<uint32_t, 256> table = {};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? kPolynomial : 0);
    table[byte] = rest;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = make_table();

template <typename T>
std::string_view bytes_of(const T& number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

template <typename T>
T number_of(std::string_view bytes) {
  T number;
  std::memcpy(&number, bytes.data(), sizeof(number));
  return number;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t rest = ~uint32_t{0};
  for (const char byte : bytes) {
    rest = (rest >> 8) ^ kTable[(rest ^ static_cast<unsigned char>(byte)) & 0xff];
  }
  return ~rest;
}

uint32_t masked_crc32c(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

std::string event_record(std::string_view data) {
  const uint64_t length = data.size();
  std::string record(bytes_of(length));
  record += bytes_of(masked_crc32c(bytes_of(length)));
  record += data;
  record += bytes_of(masked_crc32c(data));
  return record;
}

std::optional<std::string_view> RecordReader::next() {
  unfinished_ = !rest_.empty();
  if (rest_.size() < kLengthBytes + kChecksumBytes) return std::nullopt;
  const std::string_view length_bytes = rest_.substr(0, kLengthBytes);
  check(length_bytes, rest_.substr(kLengthBytes, kChecksumBytes), "length");
  const auto length = number_of<uint64_t>(length_bytes);
  const std::string_view behind = rest_.substr(kLengthBytes + kChecksumBytes);
  // The length may be any number, even with a good checksum, so nothing is added to it.
  if (behind.size() < kChecksumBytes || length > behind.size() - kChecksumBytes) {
    return std::nullopt;
  }
  const std::string_view data = behind.substr(0, length);
  check(data, behind.substr(length, kChecksumBytes), "data");
  rest_ = behind.substr(length + kChecksumBytes);
  position_ += kLengthBytes + kChecksumBytes + length + kChecksumBytes;
  ++records_;
  unfinished_ = false;
  return data;
}

void RecordReader::check(std::string_view bytes, std::string_view stored, const char* what) {
  if (masked_crc32c(bytes) == number_of<uint32_t>(stored)) return;
  throw input_error("events.read", fmt::format("the checksum of its {} is wrong", what));
}

}  // namespace weft
