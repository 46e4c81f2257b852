// Optimizer: the global gradient norm and AdamW, as ops of the step or riding on its ops.
#pragma once

#include <cstdint>
#include <optional>

#include "kernels/adamw.h"
#include "model/epilogue.h"
#include "model/tiled_parameters.h"
#include "program/program.h"
#include "program/tiled.h"

namespace weft {

struct AdamWSettings {
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0.1;  // on 2-D tensors only
  double grad_clip = 1.;      // largest global norm; 0: no clipping
  bool defer = false;         // the update to the next step, as clipping does
};

// What changes from step to step. Written between programs, read by the ops of the update.
struct UpdateInputs {
  bool due = false;  // else an update leaves everything as it is
  double lr = 0.;
  double bias_correction1 = 1.;
  double bias_correction2 = 1.;
};

// Without clipping, a parameter is updated as soon as its gradient is complete. Clipping needs the
// norm of all gradients first: then the updates of a step are deferred to the head of the next
// step's first program, where they overlap its forward pass, or to a program of their own.
//
// Appends the ops of one parameter's tiles at a time, so that a builder can place them.
// REQUIRES: all references, and the optimizer, outlive the programs.
class Optimizer {
 public:
  Optimizer(Arena& arena, TileTable& tiles, const AdamWSettings& settings,
            const TiledParameters& weights, const TiledParameters& dweights,
            const TiledParameters& m, const TiledParameters& v);
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // For a matrix: what an op that completes a tile of its gradient does with it while it is in
  // cache. The tile's share of the norm and, without clipping, AdamW.
  Epilogue on_tile(size_t parameter) const;

  // Partial sums of squares of the gradient.
  void append_norm_partials(Program& program, size_t parameter) const;

  // norm = sqrt(sum of all partials, in order); scale = min(1, grad_clip / norm).
  void append_norm(Program& program) const { append_norm(program, partials_); }
  void append_norm(Program& program, const Tiled<double>& partials) const;

  // AdamW. With clipping it reads the scale that append_norm writes and, if the norm is not finite,
  // leaves the weights and moments alone.
  void append_update(Program& program, size_t parameter) const;

  // For ops that update parameters themselves: AdamW's step for one, or nothing if no update is due
  // or the norm is not finite. Reads the tiles of update_reads().
  std::optional<AdamWStep> step_of(size_t parameter) const;
  std::vector<TileId> update_reads() const;
  bool is_due() const { return inputs_.due; }

  size_t parameters() const;
  bool clips() const { return settings_.grad_clip > 0.; }
  bool defers() const { return clips() || settings_.defer; }
  double grad_norm() const { return norm_.matrix().at(0, 0); }

  // Before the programs of step t = 1, 2, ..: sets what its update needs. With clipping, the
  // deferred update of the step before becomes due in the program that runs next.
  void set_step(int64_t t, double lr);

  // The deferred update, if there is one, becomes due in the program that runs next.
  void begin_deferred();
  bool has_deferred() const { return deferred_.due; }

 private:
  std::vector<TileId> update_writes(size_t parameter, Range rows, Range cols) const;
  void update(size_t parameter, Range rows, Range cols) const;

  AdamWSettings settings_;
  const TiledParameters &weights_, &dweights_, &m_, &v_;
  UpdateInputs inputs_, deferred_;
  std::vector<int64_t> first_partial_;  // per parameter
  Tiled<double> partials_;              // (1, gradient tiles)
  Tiled<double> norm_;                  // (1, 1)
  Tiled<double> scale_;                 // (1, 1)
};

}  // namespace weft
