// The safetensors format: named tensors in one file.
//
//   file    = size header data
//   size    = u64, little-endian: bytes of the header, at most 100,000,000
//   header  = JSON object in UTF-8, then spaces up to a multiple of 8 bytes
//             { "__metadata__": { "key": "text", ... },                          optional
//               "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24] }, ... }
//   data    = the tensors, row-major, little-endian, without gaps; offsets count from its start
//
// A file of one F32 vector `a` = (1), without metadata:
//
//   38 00 00 00 00 00 00 00                                     header of 56 bytes
//   {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}␣␣    54 bytes of JSON, 2 spaces
//   00 00 80 3f                                                 1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_writer.h"
#include "base/files.h"
#include "formats/dtype.h"

namespace weft {

// A tensor inside a mapped file, valid while the SafetensorsFile lives.
struct StoredTensor {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;        // empty for a scalar
  std::span<const std::byte> bytes;  // not aligned: read with memcpy
};

// A mapped file that has been validated. Refuses what the reference reader refuses (bad sizes,
// unknown types, holes, overlaps, trailing bytes) and what parse_json refuses, duplicate names
// above all. Movable.
class SafetensorsFile {
 public:
  // Throws Error (kInput) with the path and the reason.
  explicit SafetensorsFile(const std::filesystem::path& path);

  // In the order of their data.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  // nullptr if there is none of that name.
  const StoredTensor* find(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  MappedFile file_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, size_t, std::less<>> index_;  // name -> place in tensors_
  std::map<std::string, std::string> metadata_;
};

struct TensorSpec {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;

  bool operator==(const TensorSpec&) const = default;
};

// The bytes before the data, and the order of the data: by falling dtype, then by name, as the
// reference writer orders them. Adds "format": "pt" to the metadata, because some readers demand
// it. REQUIRES: distinct names; tensors of whole bytes.
struct SafetensorsLayout {
  explicit SafetensorsLayout(std::vector<TensorSpec> tensors,
                             std::map<std::string, std::string> metadata = {});

  std::vector<TensorSpec> tensors;
  std::string header;  // size, JSON and padding
  uint64_t data_bytes = 0;
};

// Writes a file front to back, so that no second copy of the tensors is ever in memory:
// append the bytes of every tensor in the order of tensors(), in pieces of any size, then finish.
// The file appears, complete and durable, in finish. Throws Error (kFailure).
class SafetensorsWriter {
 public:
  SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorSpec> tensors,
                    std::map<std::string, std::string> metadata = {}, FileSystem& files = disk());

  const std::vector<TensorSpec>& tensors() const { return layout_.tensors; }
  void append(const void* data, size_t bytes);
  void finish();

 private:
  SafetensorsLayout layout_;
  AtomicFile file_;
  uint64_t missing_bytes_;
};

}  // namespace weft
