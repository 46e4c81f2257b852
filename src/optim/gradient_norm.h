// GradientNorm: the norm of all gradients together, and the factor by which clipping scales them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "model/tiled_parameters.h"
#include "optim/update_tiles.h"
#include "program/program.h"
#include "program/tiled.h"

namespace weft {

// Every tile of a gradient has a partial sum of squares of its own, and the partial sums are added
// in the order of their numbers, so the bits depend on the shapes alone.
//
// REQUIRES: the gradients, and this object, outlive the programs.
class GradientNorm {
 public:
  // clip: the largest norm that leaves gradients as they are; 0: no clipping.
  GradientNorm(Arena& arena, TileTable& tiles, const TiledParameters& dweights, double clip);
  GradientNorm(const GradientNorm&) = delete;
  GradientNorm& operator=(const GradientNorm&) = delete;

  bool clips() const { return clip_ > 0.; }

  // Ops that compute the partial sums of a parameter whose gradient is complete.
  void append_partials(Program& program, size_t parameter) const;

  // For an op that has a part of a gradient's tile in cache: adds its squares to the tile's partial
  // sum, which the op writes. The parts of a tile arrive in a fixed order, the first corner first.
  std::vector<TileId> partial_tile(size_t parameter, Range rows, Range cols) const;
  void add_squares(size_t parameter, Matrix<const float> gradient, Range rows, Range cols) const;

  // norm = sqrt(sum of all partials, in order); scale = min(1, clip / norm). The second form takes
  // the partial sums of whoever computes them instead of append_partials.
  void append_norm(Program& program) const { append_norm(program, partials_); }
  void append_norm(Program& program, const Tiled<double>& partials) const;

  // After append_norm's op. The scale is 1 without clipping, and not finite if the norm is not.
  double norm() const { return norm_.matrix().at(0, 0); }
  double scale() const { return clips() ? scale_.matrix().at(0, 0) : 1.; }

  // The tile that an op must read before it calls scale(): none without clipping.
  std::vector<TileId> scale_tile() const { return clips() ? scale_.all() : std::vector<TileId>{}; }

 private:
  int64_t partial_number(size_t parameter, Range rows, Range cols) const {
    return first_partial_[parameter] + update_tiles_[parameter].number(rows, cols);
  }

  const TiledParameters& dweights_;
  double clip_;
  std::vector<UpdateTiles> update_tiles_;  // by parameter
  std::vector<int64_t> first_partial_;     // by parameter
  Tiled<double> partials_;                 // (1, gradient tiles)
  Tiled<double> norm_;                     // (1, 1)
  Tiled<double> scale_;                    // (1, 1)
};

}  // namespace weft
