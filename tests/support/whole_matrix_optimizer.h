// WholeMatrixOptimizer: an update rule for tests that needs a whole parameter at once, as Muon
// does.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "optim/optimizer.h"

namespace weft {

// w -= lr * g / max |g|, where the maximum is over the parameter. "largest" is the last |g|.
class WholeMatrixOptimizer : public Optimizer {
 public:
  std::vector<std::string> state_names() const override { return {"largest"}; }
  UpdateGranularity granularity() const override { return UpdateGranularity::kMatrix; }
  std::string settings_text() const override { return "whole matrices"; }

  void update(const Parameter& parameter, const UpdateStep& step,
              const UpdateUnit& unit) const override {
    // A part of a parameter would have another maximum.
    if (unit.weights.rows != parameter.rows || unit.weights.cols != parameter.cols)
      std::terminate();
    float largest = 0.f;
    for (int64_t r = 0; r < parameter.rows; ++r) {
      for (const float g : unit.gradient.row(r)) largest = std::max(largest, std::abs(g));
    }
    if (largest == 0.f) return;
    const float factor = float(step.lr) / largest;
    for (int64_t r = 0; r < parameter.rows; ++r) {
      for (int64_t c = 0; c < parameter.cols; ++c) {
        unit.weights.at(r, c) -= factor * unit.gradient.at(r, c);
        unit.state[0].at(r, c) = std::abs(unit.gradient.at(r, c));
      }
    }
  }
};

}  // namespace weft
