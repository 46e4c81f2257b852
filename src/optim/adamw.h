// AdamW as an Optimizer: two moments per element, and weight decay apart from the gradient.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "optim/optimizer.h"

namespace weft {

struct AdamWSettings {
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0.1;  // of the parameters whose table entry says `decay`: 2-D tensors
};

class AdamW : public Optimizer {
 public:
  explicit AdamW(const AdamWSettings& settings = {}) : settings_(settings) {}

  std::vector<std::string> state_names() const override { return {"m", "v"}; }
  std::string settings_text() const override;
  // The bias corrections 1 - beta1^t and 1 - beta2^t.
  std::array<double, 2> coefficients(int64_t t) const override;
  void update(const Parameter& parameter, const UpdateStep& step,
              const UpdateUnit& unit) const override;

 private:
  AdamWSettings settings_;
};

}  // namespace weft
