// The records of an event file: bytes with their length, and checksums of both.
//
//   record = length (uint64), masked CRC-32C of its 8 bytes, data, masked CRC-32C of the data
//
// Numbers are little-endian. TensorFlow's TFRecord files have the same framing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

// CRC-32 with Castagnoli's polynomial, as in iSCSI (RFC 3720, appendix B.4).
uint32_t crc32c(std::string_view bytes);

// The checksum as records store it, rotated and offset, so that it is also good for data that
// contains checksums.
uint32_t masked_crc32c(std::string_view bytes);

// Frames the data as a record.
std::string event_record(std::string_view data);

// Reads the records of a file one by one. REQUIRES: the file's bytes outlive the reader and the
// records that it returns.
class RecordReader {
 public:
  explicit RecordReader(std::string_view file) : rest_(file) {}

  // Returns the data of the next record; nothing at the end of the file, also if it breaks off
  // within a record (then unfinished_bytes() is not zero). Throws Error (kInput) if a checksum is
  // wrong.
  std::optional<std::string_view> next();

  // The length of an incomplete record at the end.
  size_t unfinished_bytes() const { return unfinished_ ? rest_.size() : 0; }

  // The number of whole records so far, and the position of the next one in the file.
  int64_t records() const { return records_; }
  size_t position() const { return position_; }

 private:
  static void check(std::string_view bytes, std::string_view stored, const char* what);

  std::string_view rest_;
  size_t position_ = 0;
  int64_t records_ = 0;
  bool unfinished_ = false;
};

}  // namespace weft
