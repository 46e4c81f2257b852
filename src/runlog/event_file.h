// EventFileReader: reads event files of TensorBoard, also those of other programs.
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
  bool starts_session = false;  // earlier events of this step and later ones are void
  std::vector<EventValue> values;
};

// Checks every checksum. Not thread-safe.
class EventFileReader {
 public:
  // Throws Error (kInput) if the file cannot be read or does not begin with its version.
  explicit EventFileReader(const std::filesystem::path& path);

  // Returns the next event, whose texts live as long as this reader; nothing at the end of the
  // file, also if it breaks off within a record (then torn() is not empty). Throws Error (kInput)
  // with the record and byte at which the file is damaged.
  std::optional<Event> next();

  // Says where the file breaks off; empty if its last record is whole. A file without a version
  // breaks off, too.
  std::string torn() const;

  // The number of whole records so far, including the version.
  int64_t records() const { return records_.records(); }

 private:
  template <typename Read>
  auto read_record(Read read) -> std::optional<decltype(read(std::string_view()))>;

  std::filesystem::path path_;
  MappedFile file_;
  RecordReader records_;
};

// True if the file's name is that of an event file, or if its first bytes, `begins`, are the length
// of a record and its checksum. (Those of a damaged file are not, so the name counts, too.)
bool looks_like_event_file(const std::filesystem::path& path, std::string_view begins);

}  // namespace weft
