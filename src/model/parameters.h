// The one table of parameters: name, shape, decay, initial distribution, place in memory.
// Sizes, offsets, checkpoints and sharding are derived from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/view.h"
#include "model/config.h"
#include "program/program.h"

namespace weft {

// In the order of llm.c's files. Weights are (OC, IC): y = x W^T + b.
enum class Tensor {
  wte,       // (Vp, C)  token embedding, shared with the classifier
  wpe,       // (T, C)   position embedding
  ln1w,      // (C)      per layer, from here
  ln1b,      // (C)
  qkvw,      // (3C, C)  rows: queries [0, C), keys [C, 2C), values [2C, 3C)
  qkvb,      // (3C)
  attprojw,  // (C, C)
  attprojb,  // (C)
  ln2w,      // (C)
  ln2b,      // (C)
  fcw,       // (4C, C)
  fcb,       // (4C)
  fcprojw,   // (C, 4C)
  fcprojb,   // (C)      per layer, to here
  lnfw,      // (C)
  lnfb,      // (C)
};
inline constexpr int kTensors = 16;

const char* tensor_name(Tensor tensor);
bool is_per_layer(Tensor tensor);

struct Parameter {
  Tensor tensor;
  int64_t layer;       // 0 for tensors that are not per layer
  std::string name;    // "wte", "block3/qkvw"
  int64_t rows, cols;  // rows is 1 for vectors
  int64_t offset;      // first element in a buffer of the table's size; a multiple of 16
  bool decay;          // weight decay applies: 2-D tensors only
  float init_mean;     // initial values are normal(init_mean, init_std)
  float init_std;

  int64_t size() const { return rows * cols; }

  // The name of an op on piece `number` of this parameter.
  OpName op_name(const char* kind, int64_t number) const;
};

// Parameters in memory order: wte, wpe, then layer by layer, then lnf. Immutable.
class ParameterTable {
 public:
  explicit ParameterTable(const Config& config);

  const Config& config() const { return config_; }
  const std::vector<Parameter>& all() const { return parameters_; }
  size_t index(Tensor tensor, int64_t layer = 0) const;  // into all()
  const Parameter& get(Tensor tensor, int64_t layer = 0) const {
    return parameters_.at(index(tensor, layer));
  }

  int64_t buffer_size() const { return buffer_size_; }  // elements, alignment gaps included
  int64_t count() const;  // elements of all tensors with padded vocabulary, as llm.c counts N

 private:
  Config config_;
  std::vector<Parameter> parameters_;
  int64_t buffer_size_ = 0;
};

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

// GPT-2's initial weights, for rows [begin, end) of one parameter: normal(0, 0.02), the projections
// into the residual stream 0.02 / sqrt(2 L), biases 0, layernorm weights 1, padded rows of wte 0.
// Every element is a pure function of (seed, its parameter, its index). Thread-safe for distinct
// rows.
void initialize_rows(const ParameterView& weights, const Parameter& p, int64_t begin, int64_t end,
                     uint64_t seed);

}  // namespace weft
