// Optimizer: gradient reset, the global norm and AdamW as ops of the step.
#pragma once

#include <cstdint>

#include "kernels/adamw.h"
#include "model/tiled_parameters.h"
#include "program/program.h"
#include "program/tiled.h"

namespace weft {

struct AdamWSettings {
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0.1;  // on 2-D tensors only
  double grad_clip = 1.;      // largest global norm; 0: no clipping
};

// What changes from step to step. Written between steps, read by the ops of the update.
struct UpdateInputs {
  double lr = 0.;
  double bias_correction1 = 1.;
  double bias_correction2 = 1.;
};

// Appends the ops of one parameter's tiles at a time, so that a builder can place them where the
// parameter's gradient is complete. REQUIRES: all references outlive the programs.
class Optimizer {
 public:
  Optimizer(Arena& arena, TileTable& tiles, const AdamWSettings& settings,
            const TiledParameters& weights, const TiledParameters& dweights,
            const TiledParameters& m, const TiledParameters& v);

  // dweights = 0.
  void append_reset(Program& program, size_t parameter) const;

  // Partial sums of squares of the gradient.
  void append_norm_partials(Program& program, size_t parameter) const;

  // norm = sqrt(sum of all partials, in order); scale = min(1, grad_clip / norm).
  void append_norm(Program& program) const;

  // AdamW. With clipping it reads the scale that append_norm writes and, if the norm is not finite,
  // leaves the weights and moments alone.
  void append_update(Program& program, size_t parameter) const;

  size_t parameters() const;
  bool clips() const { return settings_.grad_clip > 0.; }
  double grad_norm() const { return norm_.matrix().at(0, 0); }

  // Sets what step t = 1, 2, .. needs.
  void set_step(int64_t t, double lr);

 private:
  AdamWSettings settings_;
  const TiledParameters &weights_, &dweights_, &m_, &v_;
  UpdateInputs inputs_;
  std::vector<int64_t> first_partial_;  // per parameter
  Tiled<double> partials_;              // (1, gradient tiles)
  Tiled<double> norm_;                  // (1, 1)
  Tiled<double> scale_;                 // (1, 1)
};

}  // namespace weft
