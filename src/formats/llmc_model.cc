#include "formats/llmc_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file_writer.h"
#include "base/files.h"
#include "base/llmc_header.h"
#include "formats/stored_config.h"

namespace weft {
namespace {

constexpr const char* kRead = "llmc.read";
constexpr int32_t kMagic = 20240326;
constexpr int32_t kTokenShardMagic = 20240520;
constexpr int32_t kVersionFp32 = 3;
constexpr int32_t kVersionBf16 = 5;

enum Slot { kMagicSlot, kVersionSlot, kMaxT, kV, kL, kNH, kC, kVp };
using Header = LlmcHeader;

// A mapped file whose header and size have been checked.
struct LlmcFile {
  MappedFile file;
  DType dtype;
  Config config;

  std::span<const std::byte> payload() const { return file.bytes().subspan(sizeof(Header)); }
};

Error malformed(const std::filesystem::path& path, const std::string& reason,
                const std::string& hint = {}) {
  return input_error(kRead, path.string() + ": " + reason, hint);
}

Header read_header(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(Header)) {
    throw malformed(path, fmt::format("it has {} bytes, a model's header needs {}", bytes.size(),
                                      sizeof(Header)));
  }
  return read_llmc_header(bytes);
}

void check_magic(const std::filesystem::path& path, const Header& header) {
  const int32_t magic = header[kMagicSlot];
  if (magic == kTokenShardMagic) {
    throw malformed(path, "it holds tokens, not a model", "pass it with --data");
  }
  if (magic != kMagic) {
    throw malformed(path, fmt::format("its magic number is {}, a model's is {}", magic, kMagic));
  }
}

DType payload_type(const std::filesystem::path& path, const Header& header) {
  const int32_t version = header[kVersionSlot];
  if (version == kVersionFp32) return DType::F32;
  if (version == kVersionBf16) return DType::BF16;
  throw malformed(path,
                  fmt::format("its version is {}, weft reads {} (fp32) and {} (bf16)", version,
                              kVersionFp32, kVersionBf16),
                  "export it again with a current llm.c");
}

Config header_config(const std::filesystem::path& path, const Header& header) {
  const Config config = {
      .L = header[kL], .NH = header[kNH], .C = header[kC], .T = header[kMaxT], .V = header[kV]};
  validate_stored(config, kRead, path.string());
  if (header[kVp] != config.Vp()) {
    throw malformed(path, fmt::format("its vocabulary of {} is padded to {}, not to {}", config.V,
                                      header[kVp], config.Vp()));
  }
  return config;
}

uint64_t payload_bytes(const Config& config, DType dtype) {
  return static_cast<uint64_t>(ParameterTable(config).count()) *
         static_cast<uint64_t>(dtype_bits(dtype) / 8);
}

LlmcFile open_model(const std::filesystem::path& path) {
  MappedFile file(path);
  const Header header = read_header(path, file.bytes());
  check_magic(path, header);
  const DType dtype = payload_type(path, header);
  const Config config = header_config(path, header);
  const uint64_t expected = sizeof(Header) + payload_bytes(config, dtype);
  if (file.bytes().size() != expected) {
    throw malformed(path, fmt::format("it has {} bytes, its header calls for {}",
                                      file.bytes().size(), expected));
  }
  return {std::move(file), dtype, config};
}

// Visits the parameters in the order of the file: tensor by tensor, not layer by layer.
template <typename Visit>
void for_each_in_file_order(const ParameterTable& table, Visit visit) {
  for (int t = 0; t < kTensors; ++t) {
    const Tensor tensor = static_cast<Tensor>(t);
    const int64_t layers = is_per_layer(tensor) ? table.config().L : 1;
    for (int64_t l = 0; l < layers; ++l) visit(table.get(tensor, l));
  }
}

class LlmcReader : public ModelReader {
 public:
  LlmcReader(const std::filesystem::path& path, LlmcFile file)
      : ModelReader(file.config), path_(path), file_(std::move(file)) {
    size_t offset = 0;
    offsets_.resize(table().all().size());
    for_each_in_file_order(table(), [&](const Parameter& p) {
      offsets_[table().index(p.tensor, p.layer)] = offset;
      offset += bytes_of(p);
    });
  }

  std::set<DType> dtypes() const override { return {file_.dtype}; }
  std::vector<std::filesystem::path> files() const override { return {path_}; }

  void read(const Parameter& p, Vector<float> values) const override {
    const size_t offset = offsets_[table().index(p.tensor, p.layer)];
    decode_mapped(file_.dtype, file_.payload().subspan(offset, bytes_of(p)), values);
    std::ranges::fill(values.subspan(static_cast<size_t>(p.unpadded_rows * p.cols)), 0.0f);
  }

 private:
  size_t bytes_of(const Parameter& p) const {
    return static_cast<size_t>(p.size() * dtype_bits(file_.dtype) / 8);
  }

  std::filesystem::path path_;
  LlmcFile file_;
  std::vector<size_t> offsets_;  // of the i-th parameter in the payload
};

Header make_header(const Config& c, DType dtype) {
  Header header = {};
  header[kMagicSlot] = kMagic;
  header[kVersionSlot] = dtype == DType::F32 ? kVersionFp32 : kVersionBf16;
  header[kMaxT] = static_cast<int32_t>(c.T);
  header[kV] = static_cast<int32_t>(c.V);
  header[kL] = static_cast<int32_t>(c.L);
  header[kNH] = static_cast<int32_t>(c.NH);
  header[kC] = static_cast<int32_t>(c.C);
  header[kVp] = static_cast<int32_t>(c.Vp());
  return header;
}

class LlmcFormat : public ModelFormat {
 public:
  const char* name() const override { return "llmc"; }
  const char* kind() const override { return "llm.c model"; }
  const char* form() const override { return "an llm.c .bin file"; }
  const char* extension() const override { return ".bin"; }

  bool matches(const std::filesystem::path& path) const override {
    return read_llmc_header(MappedFile(path).bytes())[kMagicSlot] == kMagic;
  }
  Config read_config(const std::filesystem::path& path) const override {
    return read_llmc_config(path);
  }
  std::unique_ptr<ModelReader> open(const std::filesystem::path& path) const override {
    return open_llmc_model(path);
  }
  void write(const std::filesystem::path& path, const ModelCopy& model) const override {
    write_llmc_model(path, model.table, model.values_of, model.dtype);
  }
};

}  // namespace

const ModelFormat& llmc_format() {
  static const LlmcFormat format;
  return format;
}

Config read_llmc_config(const std::filesystem::path& path) { return open_model(path).config; }

std::unique_ptr<ModelReader> open_llmc_model(const std::filesystem::path& path) {
  return std::make_unique<LlmcReader>(path, open_model(path));
}

NonFiniteWeights read_llmc_weights(const std::filesystem::path& path,
                                   const ParameterView& weights) {
  return read_all(*open_llmc_model(path), weights);
}

void write_llmc_model(const std::filesystem::path& path, const ParameterTable& table,
                      const ParameterValues& values_of, DType dtype, FileSystem& files) {
  require(dtype == DType::F32 || dtype == DType::BF16, "llm.c files hold fp32 or bf16");
  AtomicFile file(path, files);
  const Header header = make_header(table.config(), dtype);
  file.append(header.data(), sizeof(header));
  for_each_in_file_order(table, [&](const Parameter& p) {
    encode_floats(dtype, values_of(p),
                  [&file](const void* data, size_t bytes) { file.append(data, bytes); });
  });
  file.finish();
}

void write_llmc_model(const std::filesystem::path& path, const ParameterView& weights, DType dtype,
                      FileSystem& files) {
  write_llmc_model(path, *weights.table, values_of(weights), dtype, files);
}

}  // namespace weft
