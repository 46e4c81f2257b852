#include "runlog/protobuf.h"

#include <cstring>

#include "base/error.h"

namespace weft {
namespace {

using Type = ProtobufField::Type;

constexpr int kTypeBits = 3;
constexpr int kVarintBits = 7;  // payload of a byte; its highest bit says that more bytes follow

void put_varint(std::string& message, uint64_t value) {
  constexpr uint64_t kMore = uint64_t{1} << kVarintBits;
  for (; value >= kMore; value >>= kVarintBits) {
    message += static_cast<char>(value % kMore + kMore);
  }
  message += static_cast<char>(value);
}

void put_key(std::string& message, uint32_t field, Type type) {
  put_varint(message, (uint64_t{field} << kTypeBits) + static_cast<uint64_t>(type));
}

// Little-endian, like the machine.
template <typename T>
void put_number(std::string& message, T value) {
  message.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

Error broken(const char* what) { return input_error("events.read", what); }

}  // namespace

void put_integer(std::string& message, uint32_t field, uint64_t value) {
  put_key(message, field, Type::kVarint);
  put_varint(message, value);
}

void put_double(std::string& message, uint32_t field, double value) {
  put_key(message, field, Type::kDouble);
  put_number(message, value);
}

void put_float(std::string& message, uint32_t field, float value) {
  put_key(message, field, Type::kFloat);
  put_number(message, value);
}

void put_bytes(std::string& message, uint32_t field, std::string_view bytes) {
  put_key(message, field, Type::kBytes);
  put_varint(message, bytes.size());
  message += bytes;
}

std::optional<ProtobufField> ProtobufReader::next() {
  if (rest_.empty()) return std::nullopt;
  const uint64_t key = varint();
  ProtobufField field;
  field.number = key >> kTypeBits;
  field.type = static_cast<Type>(key % (1 << kTypeBits));
  if (field.number == 0) throw broken("a field has number 0");
  switch (field.type) {
    case Type::kVarint:
      field.bits = varint();
      return field;
    case Type::kDouble:
      field.bits = fixed(sizeof(double));
      return field;
    case Type::kFloat:
      field.bits = fixed(sizeof(float));
      return field;
    case Type::kBytes:
      field.bytes = take(varint());
      return field;
  }
  throw broken("a field has a type that nobody knows");
}

uint64_t ProtobufReader::varint() {
  constexpr int kBits = 64;
  uint64_t value = 0;
  for (int shift = 0; shift < kBits; shift += kVarintBits) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  throw broken("a number has more than 64 bits");
}

uint64_t ProtobufReader::fixed(size_t bytes) {
  uint64_t bits = 0;
  std::memcpy(&bits, take(bytes).data(), bytes);
  return bits;
}

std::string_view ProtobufReader::take(uint64_t bytes) {
  if (bytes > rest_.size()) throw broken("a field reaches beyond the end of its message");
  const std::string_view taken = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return taken;
}

}  // namespace weft
