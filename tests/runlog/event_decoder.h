// decode_events: reads event files for tests, by TensorFlow's definition of the format and without
// the code under test. Throws on any unexpected byte.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

struct DecodedEvent {
  double wall_time = 0.;
  int64_t step = 0;
  std::string file_version;
  bool starts_session = false;
  std::vector<std::pair<std::string, float>> scalars;
  std::vector<std::pair<std::string, std::string>> texts;
};

namespace decoder {

inline void expect(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

// Computed bit by bit; the code under test uses a table.
inline uint32_t masked_checksum(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc & 1) != 0 ? 0x82f63b78 ^ (crc >> 1) : crc >> 1;
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

template <typename T>
T number(std::string_view& bytes) {
  expect(bytes.size() >= sizeof(T), "a number is cut");
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return value;
}

inline uint64_t varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = number<unsigned char>(bytes);
    value |= uint64_t(byte & 127) << shift;
    if (byte < 128) return value;
  }
}

inline std::string_view piece(std::string_view& bytes, uint64_t size) {
  expect(size <= bytes.size(), "bytes are cut");
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

// Contents by field number, as bytes; a number is its eight or four bytes.
inline std::multimap<int, std::string> fields(std::string_view message) {
  std::multimap<int, std::string> found;
  while (!message.empty()) {
    const uint64_t key = varint(message);
    std::string content;
    if (key % 8 == 0) {
      const uint64_t value = varint(message);
      content.assign(reinterpret_cast<const char*>(&value), sizeof(value));
    } else if (key % 8 == 1) {
      content = piece(message, 8);
    } else if (key % 8 == 2) {
      content = piece(message, varint(message));
    } else if (key % 8 == 5) {
      content = piece(message, 4);
    } else {
      expect(false, "another wire type");
    }
    found.emplace(int(key / 8), content);
  }
  return found;
}

inline std::string only(const std::multimap<int, std::string>& fields, int number) {
  expect(fields.count(number) == 1, "a field is there once");
  return fields.find(number)->second;
}

template <typename T>
T as(std::string_view bytes) {
  expect(bytes.size() == sizeof(T), "of this size");
  return number<T>(bytes);
}

inline void decode_value(std::string_view message, DecodedEvent& event) {
  const auto value = fields(message);
  if (value.contains(2)) {
    expect(value.size() == 2, "a scalar has a tag and a value");
    event.scalars.emplace_back(only(value, 1), as<float>(only(value, 2)));
    return;
  }
  const auto tensor = fields(only(value, 8));
  expect(as<uint64_t>(only(tensor, 1)) == 7, "DT_STRING");
  expect(only(tensor, 2).empty(), "of rank 0");
  expect(only(fields(only(fields(only(value, 9)), 1)), 1) == "text", "for the plugin of texts");
  event.texts.emplace_back(only(value, 1), only(tensor, 8));
}

inline DecodedEvent decode_event(std::string_view message) {
  DecodedEvent event;
  const auto found = fields(message);
  event.wall_time = as<double>(only(found, 1));
  if (found.contains(2)) event.step = as<int64_t>(only(found, 2));
  if (found.contains(3)) event.file_version = only(found, 3);
  if (found.contains(7)) {
    event.starts_session = as<uint64_t>(only(fields(only(found, 7)), 1)) == 1;
  }
  if (found.contains(5)) {
    for (const auto& [number, value] : fields(only(found, 5))) {
      expect(number == 1, "a summary has values");
      decode_value(value, event);
    }
  }
  return event;
}

}  // namespace decoder

inline std::vector<DecodedEvent> decode_events(std::string_view file) {
  std::vector<DecodedEvent> events;
  while (!file.empty()) {
    const std::string_view length_bytes = file.substr(0, 8);
    const auto length = decoder::number<uint64_t>(file);
    decoder::expect(decoder::number<uint32_t>(file) == decoder::masked_checksum(length_bytes),
                    "length");
    const std::string_view data = decoder::piece(file, length);
    decoder::expect(decoder::number<uint32_t>(file) == decoder::masked_checksum(data), "data");
    events.push_back(decoder::decode_event(data));
  }
  return events;
}

}  // namespace weft
