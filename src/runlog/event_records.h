// The records of an event file: bytes with their length and a checksum of either.
//
//   record = length (uint64), masked CRC-32C of its 8 bytes, data, masked CRC-32C of the data
//
// Numbers are little-endian. It is the framing of TensorFlow's TFRecord files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

// CRC-32 with Castagnoli's polynomial, as iSCSI has it (RFC 3720, appendix B.4).
uint32_t crc32c(std::string_view bytes);

// The checksum as records store it: rotated and shifted, so that data which holds checksums of its
// own has a good one as well.
uint32_t masked_crc32c(std::string_view bytes);

// The record of this data.
std::string event_record(std::string_view data);

// Takes the records of a file in turn. REQUIRES: the file's bytes outlive this and what it returns.
class RecordReader {
 public:
  explicit RecordReader(std::string_view file) : rest_(file) {}

  // The data of the next record. Nothing at the end, and where the file breaks off within a record:
  // then unfinished_bytes() is not zero. Throws Error (kInput) where a checksum is wrong.
  std::optional<std::string_view> next();

  // Of a record at the end that is not whole.
  size_t unfinished_bytes() const { return unfinished_ ? rest_.size() : 0; }

  // Whole records so far, and where in the file the next one begins.
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
