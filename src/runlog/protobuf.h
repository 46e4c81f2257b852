// The part of Protocol Buffers' wire format that event files need: fields of messages. It is
// smaller than a dependence on libprotobuf, its compiler and the schemas of three files would be.
//
//   message = { field }        field = key value        key = varint: 8 * number + type
//   type    = 0 varint | 1 eight bytes | 2 length (varint) and bytes | 5 four bytes
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

// Each appends a field to a message. A nested message is appended as its bytes.
void put_integer(std::string& message, uint32_t field, uint64_t value);
void put_double(std::string& message, uint32_t field, double value);
void put_float(std::string& message, uint32_t field, float value);
void put_bytes(std::string& message, uint32_t field, std::string_view bytes);

struct ProtobufField {
  enum class Type { kVarint = 0, kDouble = 1, kBytes = 2, kFloat = 5 };

  uint64_t number = 0;
  Type type = Type::kVarint;
  uint64_t bits = 0;            // a number, in the lowest bits
  std::string_view bytes = {};  // of kBytes

  bool is(uint64_t field, Type of_type) const { return number == field && type == of_type; }
};

// Reads the fields of a message one by one. REQUIRES: the bytes outlive the reader and the fields
// that it returns.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : rest_(message) {}

  // Returns the next field; nothing at the end. Throws Error (kInput) if the bytes are no message.
  std::optional<ProtobufField> next();

 private:
  uint64_t varint();
  uint64_t fixed(size_t bytes);
  std::string_view take(uint64_t bytes);

  std::string_view rest_;
};

}  // namespace weft
