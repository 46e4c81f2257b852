#include "formats/hf_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "formats/paths.h"
#include "formats/safetensors.h"

namespace weft {
namespace {

constexpr const char* kRead = "hf.read";
constexpr std::string_view kPrefix = "transformer.";
constexpr const char* kWeightsFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr const char* kHead = "lm_head.weight";
constexpr int64_t kTransposeBlock =
    16;  // rows at a time: a cache line of fp32 where they become columns

// ---- The mapping -------------------------------------------------------------------------------

struct HfName {
  const char* name;  // without prefix and layer
  bool transposed = false;
};

constexpr std::array<HfName, kTensors> kNames = {{
    {"wte.weight"},
    {"wpe.weight"},
    {"ln_1.weight"},
    {"ln_1.bias"},
    {"attn.c_attn.weight", true},
    {"attn.c_attn.bias"},
    {"attn.c_proj.weight", true},
    {"attn.c_proj.bias"},
    {"ln_2.weight"},
    {"ln_2.bias"},
    {"mlp.c_fc.weight", true},
    {"mlp.c_fc.bias"},
    {"mlp.c_proj.weight", true},
    {"mlp.c_proj.bias"},
    {"ln_f.weight"},
    {"ln_f.bias"},
}};

bool is_transposed(const Parameter& p) { return kNames[static_cast<size_t>(p.tensor)].transposed; }

std::string hf_name(const Parameter& p) {
  const char* name = kNames[static_cast<size_t>(p.tensor)].name;
  return is_per_layer(p.tensor) ? fmt::format("h.{}.{}", p.layer, name) : name;
}

std::vector<int64_t> hf_shape(const Parameter& p, const Config& config) {
  if (p.tensor == Tensor::wte) return {config.V, config.C};
  if (p.tensor == Tensor::wpe) return {config.T, config.C};
  if (is_transposed(p)) return {p.cols, p.rows};
  return {p.cols};
}

bool is_attention_mask(std::string_view name) {
  return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
}

// ---- Reading -----------------------------------------------------------------------------------

Error malformed(const std::filesystem::path& path, const std::string& reason,
                const std::string& hint = {}) {
  return input_error(kRead, path.string() + ": " + reason, hint);
}

// The tensors of a model by their names without prefix, and the files that hold them.
struct StoredModel {
  std::filesystem::path path;
  std::vector<SafetensorsFile> files;
  std::map<std::string, const StoredTensor*, std::less<>> tensors;
};

std::string_view without_prefix(std::string_view name) {
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

void index_tensors(StoredModel& model) {
  for (const SafetensorsFile& file : model.files) {
    for (const StoredTensor& tensor : file.tensors()) {
      const std::string_view name = without_prefix(tensor.name);
      if (is_attention_mask(name)) continue;
      if (!model.tensors.emplace(name, &tensor).second) {
        throw malformed(model.path, "it holds " + printable(name) + " twice");
      }
    }
  }
}

// The index says which file holds which tensor. Its names are data: they must stay in the
// directory.
std::map<std::string, std::vector<std::string>> read_shard_index(
    const std::filesystem::path& index) {
  const nlohmann::json json = read_json_object(index, kRead);
  const auto map = json.find("weight_map");
  if (map == json.end() || !map->is_object()) throw malformed(index, "it has no weight_map");
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, value] : map->items()) {
    const auto file = value.is_string() ? value.get<std::string>() : std::string();
    if (file.find('/') != file.npos || !file.ends_with(".safetensors")) {
      throw malformed(index, printable(tensor) + " is not in a .safetensors file of its directory");
    }
    shards[file].push_back(tensor);
  }
  return shards;
}

void open_shards(StoredModel& model, const std::filesystem::path& index) {
  for (const auto& [name, tensors] : read_shard_index(index)) {
    const std::filesystem::path path = index.parent_path() / name;
    model.files.emplace_back(path);
    for (const std::string& tensor : tensors) {
      if (model.files.back().find(tensor) == nullptr) {
        throw malformed(path,
                        "it does not hold " + printable(tensor) + ", which the index promises");
      }
    }
  }
}

StoredModel open_model(const std::filesystem::path& path) {
  StoredModel model = {.path = path, .files = {}, .tensors = {}};
  if (!names_directory(path)) {
    model.files.emplace_back(path);
  } else if (names_file(path / kWeightsFile)) {
    model.files.emplace_back(path / kWeightsFile);
  } else if (names_file(path / kIndexFile)) {
    open_shards(model, path / kIndexFile);
  } else {
    throw malformed(path, fmt::format("it holds neither {} nor {}", kWeightsFile, kIndexFile),
                    "save the model with safe_serialization=True");
  }
  index_tensors(model);
  return model;
}

void check_tensor(const StoredModel& model, const std::string& name, const StoredTensor& stored,
                  const std::vector<int64_t>& shape) {
  if (!holds_floats(stored.dtype)) {
    throw malformed(model.path, fmt::format("{} is {}, weft reads F32, F16 and BF16", name,
                                            dtype_name(stored.dtype)));
  }
  if (stored.shape != shape) {
    throw malformed(model.path, fmt::format("{} has shape ({}), the model needs ({})", name,
                                            fmt::join(stored.shape, ", "), fmt::join(shape, ", ")));
  }
}

// Takes the tensor out of the model, so that what nobody took is what weft does not know.
const StoredTensor& take(StoredModel& model, const std::string& name,
                         const std::vector<int64_t>& shape) {
  const auto found = model.tensors.find(name);
  if (found == model.tensors.end()) throw malformed(model.path, "it does not hold " + name);
  const StoredTensor& stored = *found->second;
  check_tensor(model, name, stored, shape);
  model.tensors.erase(found);
  return stored;
}

// The parameters and where they are stored: all of them, and nothing else but the head.
std::vector<std::pair<const Parameter*, const StoredTensor*>> match(StoredModel& model,
                                                                    const ParameterTable& table) {
  std::vector<std::pair<const Parameter*, const StoredTensor*>> matches;
  for (const Parameter& p : table.all()) {
    matches.emplace_back(&p, &take(model, hf_name(p), hf_shape(p, table.config())));
  }
  for (const auto& [name, stored] : model.tensors) {
    if (name == kHead) continue;
    throw malformed(model.path, fmt::format("it holds {}, which a GPT-2 of {} does not have",
                                            printable(name), to_string(table.config())));
  }
  return matches;
}

// Rows [first, first + n) of a stored matrix.
std::span<const std::byte> stored_rows(const StoredTensor& stored, int64_t first, int64_t n) {
  const int64_t row_bytes = stored.shape[1] * dtype_bits(stored.dtype) / 8;
  return stored.bytes.subspan(static_cast<size_t>(first * row_bytes),
                              static_cast<size_t>(n * row_bytes));
}

// out(c, r) = stored(r, c)
void read_transposed(const StoredTensor& stored, Matrix<float> out) {
  std::vector<float> block(static_cast<size_t>(kTransposeBlock * out.rows));
  for (int64_t r = 0; r < out.cols; r += kTransposeBlock) {
    const int64_t n = std::min(kTransposeBlock, out.cols - r);
    decode_floats(stored.dtype, stored_rows(stored, r, n),
                  std::span(block).first(static_cast<size_t>(n * out.rows)));
    const Matrix<const float> rows(block.data(), n, out.rows);
    for (int64_t c = 0; c < out.rows; ++c) {
      for (int64_t i = 0; i < n; ++i) out.at(c, r + i) = rows.at(i, c);
    }
  }
}

// Values beyond the stored ones are the padded rows of wte.
void read_padded(const StoredTensor& stored, Vector<float> out) {
  const size_t n = stored.bytes.size() * 8 / static_cast<size_t>(dtype_bits(stored.dtype));
  decode_floats(stored.dtype, stored.bytes, out.first(n));
  std::ranges::fill(out.subspan(n), 0.0f);
}

// A head of its own would be lost, and with it the model's behaviour: better to refuse.
void check_head(const StoredModel& model, const ParameterView& weights) {
  const auto found = model.tensors.find(kHead);
  if (found == model.tensors.end()) return;
  const Config& config = weights.table->config();
  const StoredTensor& head = *found->second;
  check_tensor(model, kHead, head, {config.V, config.C});
  std::vector<float> row(static_cast<size_t>(config.C));
  for (int64_t v = 0; v < config.V; ++v) {
    decode_floats(head.dtype, stored_rows(head, v, 1), row);
    if (std::memcmp(row.data(), weights.matrix(Tensor::wte).row(v).data(),
                    row.size() * sizeof(float)) != 0) {
      throw malformed(model.path, fmt::format("row {} of {} differs from wte.weight", v, kHead),
                      "weft shares the embedding with the classifier and would lose this head");
    }
  }
}

// ---- Writing -----------------------------------------------------------------------------------

void append_floats(SafetensorsWriter& writer, DType dtype, std::span<const float> values) {
  encode_floats(dtype, values,
                [&writer](const void* data, size_t bytes) { writer.append(data, bytes); });
}

// Appends the matrix m^T, row by row.
void append_transposed(SafetensorsWriter& writer, DType dtype, Matrix<const float> m) {
  std::vector<float> block(static_cast<size_t>(kTransposeBlock * m.rows));
  for (int64_t c = 0; c < m.cols; c += kTransposeBlock) {
    const int64_t n = std::min(kTransposeBlock, m.cols - c);
    const Matrix<float> rows(block.data(), n, m.rows);
    for (int64_t r = 0; r < m.rows; ++r) {
      for (int64_t i = 0; i < n; ++i) rows.at(i, r) = m.at(r, c + i);
    }
    append_floats(writer, dtype, std::span(block).first(static_cast<size_t>(n * m.rows)));
  }
}

void append_parameter(SafetensorsWriter& writer, DType dtype, const ParameterView& weights,
                      const Parameter& p) {
  const Config& config = weights.table->config();
  if (is_transposed(p)) return append_transposed(writer, dtype, weights.matrix(p));
  const int64_t n = p.tensor == Tensor::wte ? config.V * config.C : p.size();
  append_floats(writer, dtype, weights.vector(p).first(static_cast<size_t>(n)));
}

}  // namespace

void read_hf_weights(const std::filesystem::path& file_or_directory, const ParameterView& weights) {
  StoredModel model = open_model(file_or_directory);
  for (const auto& [p, stored] : match(model, *weights.table)) {
    if (is_transposed(*p)) {
      read_transposed(*stored, weights.matrix(*p));
    } else {
      read_padded(*stored, weights.vector(*p));
    }
  }
  check_head(model, weights);
}

void write_hf_weights(const std::filesystem::path& file, const ParameterView& weights,
                      DType dtype) {
  require(dtype == DType::F32 || dtype == DType::BF16, "weights are written as F32 or BF16");
  std::map<std::string, const Parameter*> parameters;
  std::vector<TensorSpec> specs;
  for (const Parameter& p : weights.table->all()) {
    specs.push_back(
        {std::string(kPrefix) + hf_name(p), dtype, hf_shape(p, weights.table->config())});
    parameters[specs.back().name] = &p;
  }
  SafetensorsWriter writer(file, std::move(specs));
  for (const TensorSpec& spec : writer.tensors()) {
    append_parameter(writer, dtype, weights, *parameters.at(spec.name));
  }
  writer.finish();
}

void write_hf_model(const std::filesystem::path& directory, const ParameterView& weights,
                    int64_t end_of_text, DType dtype) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    throw failure("hf.write", "cannot make " + directory.string() + ": " + error.message());
  }
  write_hf_weights(directory / kWeightsFile, weights, dtype);
  write_hf_config(directory, weights.table->config(), end_of_text, dtype);
}

}  // namespace weft
