#include "runlog/event_file.h"

#include <fmt/format.h>

#include <bit>

#include "base/error.h"
#include "runlog/event_fields.h"
#include "runlog/protobuf.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using Type = ProtobufField::Type;

constexpr const char* kWhere = "events.read";

// Calls visit with each field of a message.
template <typename Visit>
void for_each_field(std::string_view message, Visit visit) {
  ProtobufReader fields(message);
  while (const std::optional<ProtobufField> field = fields.next()) visit(*field);
}

// The field's bytes; empty if there is none. Of several the last counts, as in Protocol Buffers.
std::string_view bytes_field(std::string_view message, uint64_t number) {
  std::string_view found;
  for_each_field(message, [&](const ProtobufField& field) {
    if (field.is(number, Type::kBytes)) found = field.bytes;
  });
  return found;
}

bool starts_session(std::string_view session_log) {
  uint64_t status = 0;
  for_each_field(session_log, [&](const ProtobufField& field) {
    if (field.is(kStatusField, Type::kVarint)) status = field.bits;
  });
  return status == kSessionStart;
}

EventValue read_value(std::string_view message) {
  EventValue value;
  for_each_field(message, [&](const ProtobufField& field) {
    if (field.is(kTagField, Type::kBytes)) value.tag = field.bytes;
    if (field.is(kSimpleValueField, Type::kFloat)) {
      value.number = std::bit_cast<float>(static_cast<uint32_t>(field.bits));
    }
    if (field.is(kMetadataField, Type::kBytes)) {
      value.is_text =
          bytes_field(bytes_field(field.bytes, kPluginDataField), kPluginNameField) == "text";
    }
  });
  return value;
}

void read_values(std::string_view summary, std::vector<EventValue>& values) {
  for_each_field(summary, [&](const ProtobufField& field) {
    if (field.is(kValueField, Type::kBytes)) values.push_back(read_value(field.bytes));
  });
}

Event read_event(std::string_view message) {
  Event event;
  for_each_field(message, [&](const ProtobufField& field) {
    if (field.is(kWallTimeField, Type::kDouble)) {
      event.wall_time = std::bit_cast<double>(field.bits);
    }
    if (field.is(kStepField, Type::kVarint)) event.step = static_cast<int64_t>(field.bits);
    if (field.is(kSummaryField, Type::kBytes)) read_values(field.bytes, event.values);
    if (field.is(kSessionLogField, Type::kBytes)) {
      event.starts_session = starts_session(field.bytes);
    }
  });
  return event;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

EventFileReader::EventFileReader(const fs::path& path)
    : path_(path), file_(path), records_(text_of(file_.bytes())) {
  read_record([](std::string_view message) {
    if (bytes_field(message, kFileVersionField).starts_with(kAnyEventFileVersion)) return true;
    throw input_error(kWhere, "it does not name the version of the file");
  });
}

// Returns read(record) for the next record, and adds the record's place to errors.
template <typename Read>
auto EventFileReader::read_record(Read read) -> std::optional<decltype(read(std::string_view()))> {
  const int64_t number = records() + 1;
  const size_t position = records_.position();
  try {
    const std::optional<std::string_view> record = records_.next();
    if (!record) return std::nullopt;
    return read(*record);
  } catch (const Error& error) {
    throw input_error(kWhere, fmt::format("{}: record {} at byte {} is damaged: {}", path_.string(),
                                          number, position, error.message()));
  }
}

std::optional<Event> EventFileReader::next() { return read_record(read_event); }

std::string EventFileReader::torn() const {
  const size_t bytes = records_.unfinished_bytes();
  if (bytes == 0 && records() > 0) return "";
  return fmt::format("{} breaks off {} bytes into record {}: the run was killed or still writes",
                     path_.string(), bytes, records() + 1);
}

bool looks_like_event_file(const fs::path& path, std::string_view begins) {
  constexpr size_t kLengthBytes = 8;
  if (path.filename().string().find("tfevents") != std::string::npos) return true;
  if (begins.size() < kLengthBytes + sizeof(uint32_t)) return false;
  uint32_t stored = 0;
  begins.copy(reinterpret_cast<char*>(&stored), sizeof(stored), kLengthBytes);
  return masked_crc32c(begins.substr(0, kLengthBytes)) == stored;
}

}  // namespace weft
