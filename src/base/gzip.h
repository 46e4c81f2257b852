// gzip: a file that is compressed while it is written, and one that is unpacked while it is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/file_writer.h"

struct z_stream_s;

namespace weft {

// As a FileWriter: create, append, then finish. Throws Error (kFailure).
class GzipWriter {
 public:
  explicit GzipWriter(const std::filesystem::path& path, FileSystem& files = disk());

  void append(std::string_view text);
  void finish();

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };

  void compress(std::string_view text, int flush);

  FileWriter file_;
  std::unique_ptr<z_stream_s, End> stream_;
  std::vector<char> packed_;
};

// What a gzip file holds, for a std::istream or whoever else reads a buffer. Memory stays small.
// Reading throws Error (kInput) at `where` if the file is no gzip file, breaks off, is damaged, or
// unpacks to more than a hundred times its size, as no file does that is not meant to do harm.
class GzipReader : public std::streambuf {
 public:
  GzipReader(const std::filesystem::path& path, std::string where);

 protected:
  int_type underflow() override;

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };

  size_t unpack();
  void refill();
  [[noreturn]] void refuse(std::string_view reason) const;

  std::filesystem::path path_;
  std::string where_;
  std::ifstream file_;
  std::unique_ptr<z_stream_s, End> stream_;
  std::vector<char> packed_, unpacked_;
  uint64_t packed_bytes_ = 0, unpacked_bytes_ = 0;
  bool in_member_ = true;  // a file is one or more of them, one behind the other
};

}  // namespace weft
