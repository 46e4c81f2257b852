#include "model/bf16_weights.h"

#include "kernels/bfloat16.h"

namespace weft {
namespace {

bool has_copy(const Parameter& p) {
  const Role role = info(p.tensor).role;
  return p.rows > 1 && (role == Role::kTokenRows || role == Role::kLinearWeight);
}

}  // namespace

Bf16Weights::Bf16Weights(const ParameterView& weights) {
  for (const Parameter& p : weights.table->all()) {
    matrices_.emplace_back();
    if (!has_copy(p)) continue;
    matrices_.back() = arena_.matrix<BFloat16>(p.rows, p.cols);
    const Matrix<float> values = weights.matrix(p);
    convert(values, matrices_.back());
    convert(matrices_.back(), values);
  }
}

}  // namespace weft
