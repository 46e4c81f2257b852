// Optimizer: an update rule and the state that it keeps for each parameter.
//
// Steps, strategies, checkpoints, resume and memory estimates know an optimizer by this interface
// alone. A rule is immutable: the tensors of its state live in a TrainingState, next to the
// weights.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/view.h"
#include "model/parameters.h"

namespace weft {

// One tensor of an optimizer's state, with a value for every element of every parameter. Its name
// begins the names of its parts in a checkpoint: "m" is stored as "m/wte", "m/block3/qkvw", ..
struct OptimizerTensor {
  std::string name;
  ParameterView values;
};

// The numbers that one update of all parameters has in common.
struct UpdateStep {
  double lr = 0.;
  std::array<double, 2> coefficients = {};  // Optimizer::coefficients(t)
  double grad_scale = 1.;                   // factor on gradients, as global-norm clipping asks
};

// The same elements of a parameter's gradient, of the parameter, and of each tensor of the state,
// in the order of Optimizer::state_names(). All have one shape.
struct UpdateUnit {
  static constexpr size_t kMaxStateTensors = 4;

  Matrix<const float> gradient;
  Matrix<float> weights;
  std::array<Matrix<float>, kMaxStateTensors> state;
};

// The least part of a parameter that an optimizer can update without the rest of it.
enum class UpdateGranularity {
  kElement,  // every element depends on itself alone, so a unit may be any tile or range
  kMatrix    // a unit is the whole parameter (rows, cols)
};

// Thread-safe.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One name for each tensor of the state, kMaxStateTensors at most. The tensors start as zeros.
  virtual std::vector<std::string> state_names() const = 0;
  virtual UpdateGranularity granularity() const { return UpdateGranularity::kElement; }

  // The settings that decide the result, as a checkpoint records them: "beta1 0.9 beta2 0.95 ..".
  // A run that resumes with another text is told that its bits will differ.
  virtual std::string settings_text() const = 0;

  // What the update of step t = 1, 2, .. needs besides the learning rate; computed once per step.
  virtual std::array<double, 2> coefficients(int64_t /*t*/) const { return {}; }

  // Updates the weights and the state of one unit. Must not throw.
  virtual void update(const Parameter& parameter, const UpdateStep& step,
                      const UpdateUnit& unit) const = 0;
};

// AdamW with its default settings.
std::shared_ptr<const Optimizer> default_optimizer();

}  // namespace weft
