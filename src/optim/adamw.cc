#include "optim/adamw.h"

#include <fmt/format.h>

#include <cmath>

#include "kernels/adamw.h"

namespace weft {

std::string AdamW::settings_text() const {
  return fmt::format("beta1 {} beta2 {} eps {} decay {}", settings_.beta1, settings_.beta2,
                     settings_.eps, settings_.weight_decay);
}

std::array<double, 2> AdamW::coefficients(int64_t t) const {
  return {1. - std::pow(settings_.beta1, double(t)), 1. - std::pow(settings_.beta2, double(t))};
}

// docs/model.md#adamw
void AdamW::update(const Parameter& parameter, const UpdateStep& step,
                   const UpdateUnit& unit) const {
  const AdamWStep adamw = {.lr = step.lr,
                           .beta1 = settings_.beta1,
                           .beta2 = settings_.beta2,
                           .eps = settings_.eps,
                           .weight_decay = parameter.decay ? settings_.weight_decay : 0.,
                           .bias_correction1 = step.coefficients[0],
                           .bias_correction2 = step.coefficients[1],
                           .grad_scale = step.grad_scale};
  const Matrix<float>&m = unit.state[0], &v = unit.state[1];
  for (int64_t r = 0; r < unit.weights.rows; ++r) {
    adamw_update(adamw, unit.gradient.row(r), unit.weights.row(r), m.row(r), v.row(r));
  }
}

std::shared_ptr<const Optimizer> default_optimizer() { return std::make_shared<AdamW>(); }

}  // namespace weft
