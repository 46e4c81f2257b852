// ParameterUpdate: the ops that update parameters, for any optimizer.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "model/epilogue.h"
#include "model/tiled_parameters.h"
#include "optim/deferred_update.h"
#include "optim/gradient_norm.h"
#include "optim/optimizer.h"
#include "program/program.h"

namespace weft {

// Without clipping, a parameter is updated as soon as its gradient is complete. Clipping needs the
// norm of all gradients first, so these updates are deferred (DeferredUpdate).
//
// If the norm is not finite, updates leave weights and state alone: the run is about to stop, and
// its last weights must stay good.
//
// REQUIRES: the parts, and this object, outlive the programs.
class ParameterUpdate {
 public:
  struct Parts {
    const Optimizer& optimizer;
    const DeferredUpdate& timing;
    const GradientNorm& norm;
    const TiledParameters &weights, &dweights;
    const std::vector<TiledParameters>& state;  // in the order of optimizer.state_names()
  };
  explicit ParameterUpdate(const Parts& parts);
  ParameterUpdate(const ParameterUpdate&) = delete;
  ParameterUpdate& operator=(const ParameterUpdate&) = delete;

  // Appends the ops that update a parameter, one tile at a time if the optimizer can.
  void append(Program& program, size_t parameter) const;

  // For an op that completes a tile of a matrix's gradient: adds to the tile's share of the norm
  // while it is in cache and, if updates_by_tile(), updates it.
  Epilogue on_tile(size_t parameter) const;
  bool updates_by_tile() const;

  // For the ops of a strategy, which update `elements` of the buffer, all of one parameter: the
  // update, and the tile that it reads besides those of gradient, weights and state.
  // REQUIRES: the optimizer's granularity allows these elements.
  void update(size_t parameter, Range elements) const;
  std::vector<TileId> reads() const { return parts_.norm.scale_tile(); }
  bool is_due() const { return parts_.timing.due().has_value(); }

  const Optimizer& optimizer() const { return parts_.optimizer; }
  const std::vector<TiledParameters>& state() const { return parts_.state; }

 private:
  const Parameter& parameter_at(size_t index) const;
  std::vector<TileId> writes(size_t parameter, Range rows, Range cols) const;
  std::optional<UpdateStep> step() const;
  void update_block(size_t parameter, Range rows, Range cols) const;

  Parts parts_;
};

}  // namespace weft
