// Bf16Weights: bf16 copies of the matrices of a model, which decoding reads once per token.
#pragma once

#include <vector>

#include "base/arena.h"
#include "base/bfloat16.h"
#include "model/parameters.h"

namespace weft {

class Bf16Weights {
 public:
  // Rounds every matrix (but wpe, of which a token reads one row) to nearest even, in place as
  // well: the fp32 weights then are the same numbers.
  explicit Bf16Weights(const ParameterView& weights);
  Bf16Weights(const Bf16Weights&) = delete;
  Bf16Weights& operator=(const Bf16Weights&) = delete;

  // The copy of parameter `index` of the table; it has no rows where there is no copy.
  Matrix<BFloat16> at(size_t index) const { return matrices_[index]; }

 private:
  Arena arena_;
  std::vector<Matrix<BFloat16>> matrices_;
};

}  // namespace weft
