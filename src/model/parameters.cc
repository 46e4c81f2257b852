#include "model/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/math.h"
#include "base/rng.h"

namespace weft {
namespace {

// 16 floats are one cache line and one AVX-512 register: every tensor starts on its own.
constexpr int64_t kAlignment = 16;
constexpr float kInitStd = 0.02f;

// Every bias follows the weight of its layer, so its number of inputs is that weight's.
int64_t inputs_of(Tensor tensor, const Config& config) {
  switch (info(tensor).role) {
    case Role::kLinearWeight:
      return size_of(info(tensor).cols, config);
    case Role::kLinearBias:
      return inputs_of(static_cast<Tensor>(static_cast<int>(tensor) - 1), config);
    default:
      return 0;
  }
}

float init_std(Init init, const Config& config) {
  switch (init) {
    case Init::kNormal:
      return kInitStd;
    case Init::kIntoResidual:
      return kInitStd / std::sqrt(2.f * static_cast<float>(config.L));
    default:
      return 0.f;
  }
}

constexpr auto is_before = [](const TensorInfo& a, const TensorInfo& b) { return a.part < b.part; };
static_assert(std::ranges::is_sorted(kArchitecture, is_before), "the table is in memory order");

constexpr int first_in(Part part) {
  const auto first = std::ranges::find(kArchitecture, part, &TensorInfo::part);
  return static_cast<int>(first - kArchitecture.begin());
}
constexpr int count_in(Part part) {
  return static_cast<int>(std::ranges::count(kArchitecture, part, &TensorInfo::part));
}

}  // namespace

OpName Parameter::op_name(const char* kind, int64_t number) const {
  return {.kind = kind,
          .layer = is_per_layer(tensor) ? layer : OpName::kNone,
          .parameter = tensor_name(tensor),
          .tile = fmt::format("{}", number)};
}

ParameterTable::ParameterTable(const Config& config) : config_(config) {
  const auto add_all = [this](Part part, int64_t layer) {
    for (int t = first_in(part); t < first_in(part) + count_in(part); ++t) {
      add(static_cast<Tensor>(t), layer);
    }
  };
  add_all(Part::kEmbedding, 0);
  for (int64_t layer = 0; layer < config.L; ++layer) add_all(Part::kBlock, layer);
  add_all(Part::kFinal, 0);
}

void ParameterTable::add(Tensor tensor, int64_t layer) {
  const TensorInfo& t = info(tensor);
  const int64_t rows = size_of(t.rows, config_), cols = size_of(t.cols, config_);
  const std::string prefix = is_per_layer(tensor) ? fmt::format("block{}/", layer) : "";
  parameters_.push_back({.tensor = tensor,
                         .layer = layer,
                         .name = prefix + t.name,
                         .rows = rows,
                         .cols = cols,
                         .unpadded_rows = t.rows == Dim::Vp ? config_.V : rows,
                         .inputs = inputs_of(tensor, config_),
                         .offset = buffer_size_,
                         .decay = t.decay,
                         .init_mean = t.init == Init::kOne ? 1.f : 0.f,
                         .init_std = init_std(t.init, config_)});
  buffer_size_ += round_up(rows * cols, kAlignment);
}

size_t ParameterTable::index(Tensor tensor, int64_t layer) const {
  constexpr int64_t kPerLayer = count_in(Part::kBlock);
  const auto row = static_cast<int64_t>(tensor);
  switch (info(tensor).part) {
    case Part::kEmbedding:
      return static_cast<size_t>(row);
    case Part::kBlock:
      return static_cast<size_t>(row + layer * kPerLayer);
    default:
      return static_cast<size_t>(row + (config_.L - 1) * kPerLayer);
  }
}

int64_t ParameterTable::count() const {
  int64_t total = 0;
  for (const Parameter& p : parameters_) total += p.size();
  return total;
}

int64_t first_reader(const Parameter& p, const Config& config) {
  switch (info(p.tensor).part) {
    case Part::kEmbedding:
      return kEmbeddings;
    case Part::kBlock:
      return p.layer;
    default:
      return config.L;
  }
}

// docs/model.md#learning-rate-and-first-weights
void initialize_rows(const ParameterView& weights, const Parameter& p, int64_t begin, int64_t end,
                     uint64_t seed) {
  const auto stream = static_cast<uint64_t>(weights.table->index(p.tensor, p.layer));
  const Vector<float> values = weights.vector(p);
  // Padded rows stay zero: no token reads them and their gradient is zero.
  const int64_t random_elements = p.init_std != 0.f ? p.unpadded_rows * p.cols : 0;
  for (int64_t i = begin * p.cols; i < end * p.cols; ++i) {
    const bool random = i < random_elements;
    const double noise = random ? random_normal(seed, stream, static_cast<uint64_t>(i)) : 0.;
    values[static_cast<size_t>(i)] = p.init_mean + p.init_std * static_cast<float>(noise);
  }
}

}  // namespace weft
