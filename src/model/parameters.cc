#include "model/parameters.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/math.h"
#include "base/rng.h"

namespace weft {
namespace {

// 16 floats are one cache line and one AVX-512 register: every tensor starts on its own.
constexpr int64_t kAlignment = 16;
constexpr float kInitStd = 0.02f;

struct Shape {
  int64_t rows, cols;
};

// docs/model.md#letters-and-shapes
Shape shape_of(Tensor tensor, const Config& c) {
  switch (tensor) {
    case Tensor::wte:
      return {c.Vp(), c.C};
    case Tensor::wpe:
      return {c.T, c.C};
    case Tensor::qkvw:
      return {3 * c.C, c.C};
    case Tensor::qkvb:
      return {1, 3 * c.C};
    case Tensor::attprojw:
      return {c.C, c.C};
    case Tensor::fcw:
      return {4 * c.C, c.C};
    case Tensor::fcb:
      return {1, 4 * c.C};
    case Tensor::fcprojw:
      return {c.C, 4 * c.C};
    default:
      return {1, c.C};
  }
}

// docs/model.md#adamw
bool is_matrix(Tensor tensor) {
  switch (tensor) {
    case Tensor::wte:
    case Tensor::wpe:
    case Tensor::qkvw:
    case Tensor::attprojw:
    case Tensor::fcw:
    case Tensor::fcprojw:
      return true;
    default:
      return false;
  }
}

bool is_layernorm_weight(Tensor tensor) {
  return tensor == Tensor::ln1w || tensor == Tensor::ln2w || tensor == Tensor::lnfw;
}

float init_std(Tensor tensor, const Config& config) {
  if (!is_matrix(tensor)) return 0.f;
  // Two projections per layer add to the residual stream; this keeps its variance independent of L.
  const bool into_residual = tensor == Tensor::attprojw || tensor == Tensor::fcprojw;
  return into_residual ? kInitStd / std::sqrt(2.f * static_cast<float>(config.L)) : kInitStd;
}

}  // namespace

const char* tensor_name(Tensor tensor) {
  static constexpr const char* kNames[kTensors] = {
      "wte",  "wpe",  "ln1w", "ln1b", "qkvw",    "qkvb",    "attprojw", "attprojb",
      "ln2w", "ln2b", "fcw",  "fcb",  "fcprojw", "fcprojb", "lnfw",     "lnfb"};
  return kNames[static_cast<int>(tensor)];
}

bool is_per_layer(Tensor tensor) { return tensor >= Tensor::ln1w && tensor <= Tensor::fcprojb; }

OpName Parameter::op_name(const char* kind, int64_t number) const {
  return {.kind = kind,
          .layer = is_per_layer(tensor) ? layer : OpName::kNone,
          .parameter = tensor_name(tensor),
          .tile = fmt::format("{}", number)};
}

ParameterTable::ParameterTable(const Config& config) : config_(config) {
  const auto add = [&](Tensor tensor, int64_t layer) {
    const Shape shape = shape_of(tensor, config);
    const std::string prefix = is_per_layer(tensor) ? fmt::format("block{}/", layer) : "";
    parameters_.push_back({tensor, layer, prefix + tensor_name(tensor), shape.rows, shape.cols,
                           buffer_size_, is_matrix(tensor), is_layernorm_weight(tensor) ? 1.f : 0.f,
                           init_std(tensor, config)});
    buffer_size_ += round_up(shape.rows * shape.cols, kAlignment);
  };
  add(Tensor::wte, 0);
  add(Tensor::wpe, 0);
  for (int64_t layer = 0; layer < config.L; ++layer) {
    for (int t = static_cast<int>(Tensor::ln1w); t <= static_cast<int>(Tensor::fcprojb); ++t) {
      add(static_cast<Tensor>(t), layer);
    }
  }
  add(Tensor::lnfw, 0);
  add(Tensor::lnfb, 0);
}

size_t ParameterTable::index(Tensor tensor, int64_t layer) const {
  constexpr int kFirst = static_cast<int>(Tensor::ln1w);
  constexpr int kPerLayer = static_cast<int>(Tensor::fcprojb) - kFirst + 1;
  const int t = static_cast<int>(tensor);
  int64_t index = t;
  if (is_per_layer(tensor)) {
    index = kFirst + layer * kPerLayer + (t - kFirst);
  } else if (tensor >= Tensor::lnfw) {
    index = t + (config_.L - 1) * kPerLayer;
  }
  return static_cast<size_t>(index);
}

int64_t ParameterTable::count() const {
  int64_t total = 0;
  for (const Parameter& p : parameters_) total += p.size();
  return total;
}

// docs/model.md#learning-rate-and-first-weights
void initialize_rows(const ParameterView& weights, const Parameter& p, int64_t begin, int64_t end,
                     uint64_t seed) {
  const auto stream = static_cast<uint64_t>(weights.table->index(p.tensor, p.layer));
  const Vector<float> values = weights.vector(p);
  // The padded rows of wte stay zero: no token reads them and their gradient is zero.
  const int64_t drawn = p.tensor == Tensor::wte ? weights.table->config().V : p.rows;
  for (int64_t i = begin * p.cols; i < end * p.cols; ++i) {
    const bool random = p.init_std != 0.f && i < drawn * p.cols;
    const double noise = random ? random_normal(seed, stream, static_cast<uint64_t>(i)) : 0.;
    values[static_cast<size_t>(i)] = p.init_mean + p.init_std * static_cast<float>(noise);
  }
}

}  // namespace weft
