// The parameters of a model: the tensors of the architecture, layer by layer, and their places in
// memory. Checkpoints and sharding are derived from this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/view.h"
#include "model/architecture.h"
#include "model/config.h"
#include "program/program.h"

namespace weft {

struct Parameter {
  Tensor tensor;
  int64_t layer;          // 0 for tensors that are not per layer
  std::string name;       // "wte", "block3/qkvw"
  int64_t rows, cols;     // rows is 1 for vectors
  int64_t unpadded_rows;  // the rest are the vocabulary's padding and stay zero
  int64_t inputs;         // K of the linear layer that has it as its weight or bias; else 0
  int64_t offset;         // first element in a buffer of the table's size; a multiple of 16
  bool decay;             // weight decay applies
  float init_mean;        // initial values are normal(init_mean, init_std)
  float init_std;

  int64_t size() const { return rows * cols; }

  // The name of an op on piece `number` of this parameter.
  OpName op_name(const char* kind, int64_t number) const;
};

// Parameters in memory order: the embeddings, then layer by layer, then the final norm. Immutable.
class ParameterTable {
 public:
  explicit ParameterTable(const Config& config);

  const Config& config() const { return config_; }
  const std::vector<Parameter>& all() const { return parameters_; }
  // Into all(). `layer` is ignored for tensors that are not per layer.
  size_t index(Tensor tensor, int64_t layer = 0) const;
  const Parameter& get(Tensor tensor, int64_t layer = 0) const {
    return parameters_.at(index(tensor, layer));
  }

  int64_t buffer_size() const { return buffer_size_; }  // elements, alignment gaps included
  int64_t count() const;  // elements of all tensors with padded vocabulary, as llm.c counts N

 private:
  void add(Tensor tensor, int64_t layer);

  Config config_;
  std::vector<Parameter> parameters_;
  int64_t buffer_size_ = 0;
};

// The layer whose forward pass is the first to read a parameter: kEmbeddings before layer 0, and L
// after layer L - 1.
inline constexpr int64_t kEmbeddings = -1;
int64_t first_reader(const Parameter& p, const Config& config);

// One value per parameter element (weights, gradients, or a moment): a view of the table's layout.
struct ParameterView {
  const ParameterTable* table = nullptr;
  Vector<float> data;  // table->buffer_size() elements

  Matrix<float> matrix(const Parameter& p) const {
    return {data.data() + p.offset, p.rows, p.cols};
  }
  Matrix<float> matrix(Tensor tensor, int64_t layer = 0) const {
    return matrix(table->get(tensor, layer));
  }
  Vector<float> vector(const Parameter& p) const {
    return data.subspan(static_cast<size_t>(p.offset), static_cast<size_t>(p.size()));
  }
  Vector<float> vector(Tensor tensor, int64_t layer = 0) const {
    return vector(table->get(tensor, layer));
  }
};

// GPT-2's initial weights as the architecture says, for rows [begin, end) of one parameter.
// Every element is a pure function of (seed, its parameter, its index). Thread-safe for distinct
// rows.
void initialize_rows(const ParameterView& weights, const Parameter& p, int64_t begin, int64_t end,
                     uint64_t seed);

}  // namespace weft
