// EventFileReader: reads an event file of TensorBoard, whoever wrote it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "runlog/event_records.h"

namespace weft {

struct EventValue {
  std::string_view tag;
  std::optional<float> number;  // of a scalar
  bool is_text = false;
};

struct Event {
  double wall_time = 0.;  // seconds since 1970
  int64_t step = 0;
  bool starts_session = false;  // what was logged of this step and later ones before is void
  std::vector<EventValue> values;
};

// Checks every checksum. Not thread-safe.
class EventFileReader {
 public:
  // Throws Error (kInput) if it cannot be read or begins with anything but a version.
  explicit EventFileReader(const std::filesystem::path& path);

  // The next event, which lives as long as this. Nothing at the end, and where the file breaks off
  // within a record: then torn() is not empty.
  // Throws Error (kInput) that says in which record and at which byte the file is damaged.
  std::optional<Event> next();

  // Why the file is not whole at its end; empty if it is. A file without a version is not.
  std::string torn() const;

  // Whole records so far, the version at the beginning included.
  int64_t records() const { return records_.records(); }

 private:
  template <typename Read>
  auto read_record(Read read) -> std::optional<decltype(read(std::string_view()))>;

  std::filesystem::path path_;
  MappedFile file_;
  RecordReader records_;
};

// Whether a file begins as event files do: with the length of a record and its checksum. Also if
// its name says so, since a damaged one does not. The bytes are those at the beginning.
bool looks_like_event_file(const std::filesystem::path& path, std::string_view begins);

}  // namespace weft
