#include "formats/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/math.h"

namespace weft {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr int64_t kHeaderAlignment = 8;
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kRead = "safetensors.read";

// A tensor as the header describes it, not yet checked against the file.
struct HeaderEntry {
  TensorSpec spec;
  uint64_t begin;
  uint64_t end;
};

// Bits of a tensor; false if they do not fit 64 bits.
bool count_bits(const TensorSpec& spec, uint64_t* bits) {
  *bits = 1;
  for (const int64_t extent : spec.shape) {
    if (__builtin_mul_overflow(*bits, static_cast<uint64_t>(extent), bits)) return false;
  }
  return !__builtin_mul_overflow(*bits, static_cast<uint64_t>(dtype_bits(spec.dtype)), bits);
}

// Reads the bytes of one file; every error names its path.
class Parser {
 public:
  Parser(std::string path, std::span<const std::byte> file) : path_(std::move(path)), file_(file) {}

  json header() const {
    const uint64_t bytes = header_bytes();
    const std::string_view text(reinterpret_cast<const char*>(file_.data()) + sizeof(uint64_t),
                                bytes);
    json object = parse_json(text, kRead, "the header of " + path_);
    if (!object.is_object()) throw error("its header is not a JSON object");
    return object;
  }

  std::map<std::string, std::string> metadata(const json& header) const {
    std::map<std::string, std::string> texts;
    const auto found = header.find(kMetadata);
    if (found == header.end() || found->is_null()) return texts;  // null: as the reference reader
    if (!found->is_object()) throw error("__metadata__ is not an object");
    for (const auto& [key, value] : found->items()) {
      if (!value.is_string()) throw error("__metadata__ " + printable(key) + " is not a string");
      texts[key] = value;
    }
    return texts;
  }

  // In the order of their data, which they cover exactly.
  std::vector<StoredTensor> tensors(const json& header) const {
    std::vector<HeaderEntry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name != kMetadata) entries.push_back(entry(name, value));
    }
    std::ranges::sort(entries, {}, [](const HeaderEntry& e) { return std::tuple(e.begin, e.end); });
    check_coverage(entries);
    std::vector<StoredTensor> tensors;
    tensors.reserve(entries.size());
    for (HeaderEntry& e : entries) {
      tensors.push_back({std::move(e.spec.name), e.spec.dtype, std::move(e.spec.shape),
                         data().subspan(e.begin, e.end - e.begin)});
    }
    return tensors;
  }

 private:
  Error error(const std::string& reason) const {
    return input_error(kRead, path_ + ": " + reason,
                       "the file is damaged, incomplete or not safetensors");
  }

  Error tensor_error(const std::string& name, const std::string& reason) const {
    return error("tensor " + printable(name) + " " + reason);
  }

  uint64_t header_bytes() const {
    uint64_t bytes = 0;
    if (file_.size() < sizeof(bytes)) throw error("it is shorter than 8 bytes");
    std::memcpy(&bytes, file_.data(), sizeof(bytes));
    if (bytes > kMaxHeaderBytes) {
      throw error(
          fmt::format("its header claims {} bytes, {} are allowed", bytes, kMaxHeaderBytes));
    }
    if (bytes > file_.size() - sizeof(bytes)) {
      throw error(
          fmt::format("its header claims {} bytes, the file has {} in all", bytes, file_.size()));
    }
    return bytes;
  }

  std::span<const std::byte> data() const {
    return file_.subspan(sizeof(uint64_t) + header_bytes());
  }

  HeaderEntry entry(const std::string& name, const json& value) const {
    if (!value.is_object()) throw tensor_error(name, "is not described by an object");
    const std::vector<uint64_t> offsets = numbers(name, value, "data_offsets");
    if (offsets.size() != 2) throw tensor_error(name, "needs two data_offsets");
    return {{name, dtype(name, value), shape(name, value)}, offsets[0], offsets[1]};
  }

  DType dtype(const std::string& name, const json& value) const {
    const auto found = value.find("dtype");
    if (found == value.end() || !found->is_string()) throw tensor_error(name, "has no dtype");
    const auto& text = found->get_ref<const std::string&>();
    const std::optional<DType> dtype = find_dtype(text);
    if (!dtype) throw tensor_error(name, "has the unknown dtype " + printable(text));
    return *dtype;
  }

  std::vector<int64_t> shape(const std::string& name, const json& value) const {
    std::vector<int64_t> shape;
    for (const uint64_t extent : numbers(name, value, "shape")) {
      if (extent > std::numeric_limits<int64_t>::max()) throw tensor_error(name, "is too large");
      shape.push_back(static_cast<int64_t>(extent));
    }
    return shape;
  }

  // The library reads numbers beyond 64 bits as floating point, so they are refused here too.
  std::vector<uint64_t> numbers(const std::string& name, const json& value, const char* key) const {
    const auto found = value.find(key);
    if (found == value.end() || !found->is_array()) {
      throw tensor_error(name, fmt::format("has no {}", key));
    }
    std::vector<uint64_t> numbers;
    for (const json& number : *found) {
      if (!number.is_number_unsigned()) {
        throw tensor_error(name, fmt::format("has a {} that is no 64-bit unsigned number", key));
      }
      numbers.push_back(number);
    }
    return numbers;
  }

  // Each tensor begins where the one before it ends, and the last ends with the file.
  void check_coverage(const std::vector<HeaderEntry>& entries) const {
    uint64_t position = 0;
    for (const HeaderEntry& e : entries) {
      if (e.begin != position) {
        throw tensor_error(e.spec.name, fmt::format("begins at byte {} of the data, not at {}",
                                                    e.begin, position));
      }
      check_size(e);
      position = e.end;
    }
    if (position != data().size()) {
      throw error(fmt::format("its tensors end at byte {} of the data, which has {} bytes",
                              position, data().size()));
    }
  }

  void check_size(const HeaderEntry& e) const {
    if (e.end < e.begin) throw tensor_error(e.spec.name, "ends before it begins");
    uint64_t bits = 0;
    if (!count_bits(e.spec, &bits)) throw tensor_error(e.spec.name, "is too large");
    if (bits % 8 != 0) throw tensor_error(e.spec.name, "does not fill whole bytes");
    if (e.end - e.begin != bits / 8) {
      throw tensor_error(e.spec.name, fmt::format("needs {} bytes for its shape and has {}",
                                                  bits / 8, e.end - e.begin));
    }
  }

  std::string path_;
  std::span<const std::byte> file_;
};

bool comes_first(const TensorSpec& a, const TensorSpec& b) {
  return std::tie(b.dtype, a.name) < std::tie(a.dtype, b.name);
}

uint64_t byte_size(const TensorSpec& spec) {
  uint64_t bits = 0;
  require(count_bits(spec, &bits) && bits % 8 == 0, "a tensor to write has a size in bytes");
  return bits / 8;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(path) {
  const Parser parser(path.string(), file_.bytes());
  const json header = parser.header();
  metadata_ = parser.metadata(header);
  tensors_ = parser.tensors(header);
  for (size_t i = 0; i < tensors_.size(); ++i) index_[tensors_[i].name] = i;
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

SafetensorsLayout::SafetensorsLayout(std::vector<TensorSpec> specs,
                                     std::map<std::string, std::string> metadata)
    : tensors(std::move(specs)) {
  std::ranges::sort(tensors, comes_first);
  metadata.emplace("format", "pt");
  nlohmann::ordered_json json = {{kMetadata, metadata}};
  for (const TensorSpec& spec : tensors) {
    require(!json.contains(spec.name), "tensors to write have distinct names");
    const uint64_t end = data_bytes + byte_size(spec);
    json[spec.name] = {{"dtype", dtype_name(spec.dtype)},
                       {"shape", spec.shape},
                       {"data_offsets", {data_bytes, end}}};
    data_bytes = end;
  }
  std::string text = json.dump();
  text.resize(static_cast<size_t>(round_up(std::ssize(text), kHeaderAlignment)), ' ');
  require(text.size() <= kMaxHeaderBytes, "a safetensors header has at most 100 MB");
  const uint64_t size = text.size();
  header.assign(reinterpret_cast<const char*>(&size), sizeof(size));
  header += text;
}

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path,
                                     std::vector<TensorSpec> tensors,
                                     std::map<std::string, std::string> metadata, FileSystem& files)
    : layout_(std::move(tensors), std::move(metadata)),
      file_(path, files),
      missing_bytes_(layout_.data_bytes) {
  file_.append(layout_.header.data(), layout_.header.size());
}

void SafetensorsWriter::append(const void* data, size_t bytes) {
  require(bytes <= missing_bytes_, "a safetensors file takes the bytes of its tensors, no more");
  file_.append(data, bytes);
  missing_bytes_ -= bytes;
}

void SafetensorsWriter::finish() {
  require(missing_bytes_ == 0, "a safetensors file is finished after its last tensor");
  file_.finish();
}

}  // namespace weft
