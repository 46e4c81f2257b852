// GzipWriter compresses a file while writing it; GzipReader decompresses one while reading it.
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

// Used like a FileWriter: construct, append, finish. Throws Error (kFailure).
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

// The decompressed content of a gzip file, for std::istream and other readers of a stream buffer.
// Uses little memory. Reading throws Error (kInput) at `where` if the file is not a gzip file, is
// truncated or damaged, or decompresses to more than a hundred times its size, which only a file
// made to do harm does.
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
  bool in_member_ = true;  // a file is a sequence of one or more members
};

}  // namespace weft
