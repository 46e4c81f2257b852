#include "base/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <limits>
#include <utility>

#include "base/error.h"

namespace weft {
namespace {

constexpr int kGzip = 15 + 16;  // zlib's windowBits: the largest window, in gzip's format
constexpr size_t kPieceBytes = size_t{1} << 16;
constexpr uint64_t kMostGrowth = 100, kAlwaysAllowed = 1 << 20;

Bytef* bytes_of(const char* text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text)); }

}  // namespace

void GzipWriter::End::operator()(z_stream_s* stream) const {
  deflateEnd(stream);
  delete stream;
}

GzipWriter::GzipWriter(const std::filesystem::path& path, FileSystem& files)
    : file_(path, files), stream_(new z_stream{}), packed_(kPieceBytes) {
  if (deflateInit2(stream_.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw failure("gzip", fmt::format("cannot compress {}: out of memory", path.string()));
  }
}

void GzipWriter::append(std::string_view text) {
  constexpr size_t kLargest = std::numeric_limits<uInt>::max();
  for (; text.size() > kLargest; text.remove_prefix(kLargest)) {
    compress(text.substr(0, kLargest), Z_NO_FLUSH);
  }
  compress(text, Z_NO_FLUSH);
}

void GzipWriter::finish() {
  compress({}, Z_FINISH);
  file_.finish();
}

void GzipWriter::compress(std::string_view text, int flush) {
  stream_->next_in = bytes_of(text.data());
  stream_->avail_in = static_cast<uInt>(text.size());
  do {
    stream_->next_out = bytes_of(packed_.data());
    stream_->avail_out = static_cast<uInt>(packed_.size());
    // deflate fails only on a corrupt stream state; Z_BUF_ERROR (no progress) is not an error.
    require(deflate(stream_.get(), flush) != Z_STREAM_ERROR,
            "the state of the gzip stream is intact");
    file_.append(packed_.data(), packed_.size() - stream_->avail_out);
  } while (stream_->avail_out == 0);
}

void GzipReader::End::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

GzipReader::GzipReader(const std::filesystem::path& path, std::string where)
    : path_(path),
      where_(std::move(where)),
      file_(path, std::ios::binary),
      stream_(new z_stream{}),
      packed_(kPieceBytes),
      unpacked_(kPieceBytes) {
  if (!file_) refuse("cannot be opened");
  if (inflateInit2(stream_.get(), kGzip) != Z_OK) refuse("cannot be unpacked: out of memory");
}

GzipReader::int_type GzipReader::underflow() {
  const size_t bytes = unpack();
  setg(unpacked_.data(), unpacked_.data(), unpacked_.data() + bytes);
  return bytes == 0 ? traits_type::eof() : traits_type::to_int_type(unpacked_.front());
}

// Returns some bytes, or none at the end of the last member.
size_t GzipReader::unpack() {
  stream_->next_out = bytes_of(unpacked_.data());
  stream_->avail_out = static_cast<uInt>(unpacked_.size());
  while (stream_->avail_out == unpacked_.size()) {
    if (stream_->avail_in == 0) refill();
    if (stream_->avail_in == 0) {
      if (in_member_) refuse("breaks off");
      return 0;
    }
    if (!in_member_) inflateReset(stream_.get());
    const int result = inflate(stream_.get(), Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END) refuse("is damaged, or no gzip file");
    in_member_ = result != Z_STREAM_END;
  }
  const size_t bytes = unpacked_.size() - stream_->avail_out;
  unpacked_bytes_ += bytes;
  if (unpacked_bytes_ > kAlwaysAllowed + kMostGrowth * packed_bytes_) {
    refuse(fmt::format("unpacks to more than {} times its size", kMostGrowth));
  }
  return bytes;
}

void GzipReader::refill() {
  file_.read(packed_.data(), static_cast<std::streamsize>(packed_.size()));
  stream_->next_in = bytes_of(packed_.data());
  stream_->avail_in = static_cast<uInt>(file_.gcount());
  packed_bytes_ += stream_->avail_in;
}

void GzipReader::refuse(std::string_view reason) const {
  throw input_error(where_, fmt::format("{} {}", path_.string(), reason));
}

}  // namespace weft
