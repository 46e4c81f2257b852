#include "formats/hf_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "formats/hf_files.h"
#include "formats/hf_names.h"
#include "formats/safetensors.h"

namespace weft {
namespace {

// Rows at a time: a cache line of fp32 where they become columns.
constexpr int64_t kTransposeBlock = 16;

// ---- Reading -----------------------------------------------------------------------------------

Error malformed(const HfFiles& model, const std::string& reason, const std::string& hint = {}) {
  return input_error("hf.read", model.path.string() + ": " + reason, hint);
}

void check_tensor(const HfFiles& model, const std::string& name, const StoredTensor& stored,
                  const std::vector<int64_t>& shape) {
  if (!holds_floats(stored.dtype)) {
    throw malformed(model, fmt::format("{} is {}, weft reads F32, F16 and BF16", name,
                                       dtype_name(stored.dtype)));
  }
  if (stored.shape != shape) {
    throw malformed(model, fmt::format("{} has shape ({}), the model needs ({})", name,
                                       fmt::join(stored.shape, ", "), fmt::join(shape, ", ")));
  }
}

const StoredTensor& find_tensor(const HfFiles& model, const std::string& name,
                                const std::vector<int64_t>& shape) {
  const auto found = model.tensors.find(name);
  if (found == model.tensors.end()) throw malformed(model, "it does not hold " + name);
  check_tensor(model, name, *found->second, shape);
  return *found->second;
}

// Where each parameter is stored, in the order of the table: all of them, and nothing else but the
// head.
std::vector<const StoredTensor*> match(const HfFiles& model, const ParameterTable& table) {
  std::vector<const StoredTensor*> stored;
  auto unknown = model.tensors;
  unknown.erase(kHfHead);
  for (const Parameter& p : table.all()) {
    const std::string name = hf_name(p);
    stored.push_back(&find_tensor(model, name, hf_shape(p)));
    unknown.erase(name);
  }
  if (!unknown.empty()) {
    throw malformed(model,
                    fmt::format("it holds {}, which a GPT-2 of {} does not have",
                                printable(unknown.begin()->first), to_string(table.config())));
  }
  return stored;
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
  release_mapped(stored.bytes);
}

// Values beyond the stored ones are the padded rows of wte.
void read_padded(const StoredTensor& stored, Vector<float> out) {
  const size_t n = stored.bytes.size() * 8 / static_cast<size_t>(dtype_bits(stored.dtype));
  decode_mapped(stored.dtype, stored.bytes, out.first(n));
  std::ranges::fill(out.subspan(n), 0.0f);
}

class HfReader : public ModelReader {
 public:
  HfReader(HfFiles files, const Config& config, bool ties_embeddings)
      : ModelReader(config), model_(std::move(files)), stored_(match(model_, table())) {
    check_head(ties_embeddings);
  }

  std::set<DType> dtypes() const override {
    std::set<DType> dtypes;
    for (const StoredTensor* stored : stored_) dtypes.insert(stored->dtype);
    return dtypes;
  }

  std::vector<std::filesystem::path> files() const override { return model_.paths; }

  void read(const Parameter& p, Vector<float> values) const override {
    const StoredTensor& stored = *stored_[table().index(p.tensor, p.layer)];
    if (is_transposed_in_hf(p)) {
      read_transposed(stored, {values.data(), p.rows, p.cols});
    } else {
      read_padded(stored, values);
    }
  }

 private:
  // A head of its own would be lost, and with it the model's behaviour: better to refuse.
  void check_head(bool ties_embeddings) const {
    const auto found = model_.tensors.find(kHfHead);
    if (found == model_.tensors.end()) {
      if (ties_embeddings) return;
      throw malformed(
          model_,
          fmt::format("config.json says tie_word_embeddings = false, and the model does "
                      "not hold {}",
                      kHfHead),
          "save the model with its head; if they are one, set tie_word_embeddings to "
          "true");
    }
    const StoredTensor& head = *found->second;
    const Config& c = table().config();
    check_tensor(model_, kHfHead, head, {c.V, c.C});
    const StoredTensor& wte = *stored_[table().index(Tensor::wte)];
    const int64_t piece = std::max<int64_t>(1, (1 << 20) / c.C);
    for (int64_t v = 0; v < c.V; v += piece) {
      check_head_rows(head, wte, v, std::min(piece, c.V - v));
    }
  }

  void check_head_rows(const StoredTensor& head, const StoredTensor& wte, int64_t first,
                       int64_t n) const {
    const int64_t C = table().config().C;
    std::vector<float> h(static_cast<size_t>(n * C)), w(h.size());
    decode_mapped(head.dtype, stored_rows(head, first, n), h);
    decode_mapped(wte.dtype, stored_rows(wte, first, n), w);
    for (int64_t i = 0; i < n; ++i) {
      const auto bytes = static_cast<size_t>(C) * sizeof(float);
      if (std::memcmp(h.data() + i * C, w.data() + i * C, bytes) == 0) continue;
      throw malformed(model_,
                      fmt::format("row {} of {} differs from wte.weight", first + i, kHfHead),
                      "weft shares the embedding with the classifier and would lose this head");
    }
  }

  HfFiles model_;
  std::vector<const StoredTensor*> stored_;  // of the i-th parameter
};

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

void append_parameter(SafetensorsWriter& writer, DType dtype, const Parameter& p,
                      Vector<const float> values) {
  if (is_transposed_in_hf(p)) {
    return append_transposed(writer, dtype, {values.data(), p.rows, p.cols});
  }
  append_floats(writer, dtype, values.first(static_cast<size_t>(p.unpadded_rows * p.cols)));
}

}  // namespace

std::unique_ptr<ModelReader> open_hf_model(const std::filesystem::path& file_or_directory,
                                           const Config& config, bool ties_embeddings) {
  return std::make_unique<HfReader>(open_hf_files(file_or_directory), config, ties_embeddings);
}

NonFiniteWeights read_hf_weights(const std::filesystem::path& file_or_directory,
                                 const ParameterView& weights) {
  return read_all(*open_hf_model(file_or_directory, weights.table->config()), weights);
}

void write_hf_weights(const std::filesystem::path& file, const ParameterTable& table,
                      const ParameterValues& values_of, DType dtype, FileSystem& files) {
  require(dtype == DType::F32 || dtype == DType::BF16, "weights are written as F32 or BF16");
  std::map<std::string, const Parameter*> parameters;
  std::vector<TensorSpec> specs;
  for (const Parameter& p : table.all()) {
    specs.push_back({std::string(kHfPrefix) + hf_name(p), dtype, hf_shape(p)});
    parameters[specs.back().name] = &p;
  }
  SafetensorsWriter writer(file, std::move(specs), {}, files);
  for (const TensorSpec& spec : writer.tensors()) {
    const Parameter& p = *parameters.at(spec.name);
    append_parameter(writer, dtype, p, values_of(p));
  }
  writer.finish();
}

void write_hf_weights(const std::filesystem::path& file, const ParameterView& weights, DType dtype,
                      FileSystem& files) {
  write_hf_weights(file, *weights.table, values_of(weights), dtype, files);
}

void write_hf_model(const std::filesystem::path& directory, const ParameterTable& table,
                    const ParameterValues& values_of, int64_t end_of_text, DType dtype,
                    FileSystem& files) {
  create_directories_durably(directory, files);
  write_hf_weights(directory / kHfWeightsFile, table, values_of, dtype, files);
  write_hf_config(directory, table.config(), end_of_text, dtype, files);
  write_hf_generation_config(directory, end_of_text, files);
}

void write_hf_model(const std::filesystem::path& directory, const ParameterView& weights,
                    int64_t end_of_text, DType dtype, FileSystem& files) {
  write_hf_model(directory, *weights.table, values_of(weights), end_of_text, dtype, files);
}

}  // namespace weft
