// StepMatrices: allocates the named, tiled matrices of a step, one row per token.
#pragma once

#include <string>

#include "base/arena.h"
#include "base/math.h"
#include "model/operand.h"
#include "model/precision.h"
#include "model/tiling.h"
#include "program/tiled.h"

namespace weft {

// The gradient of the residual stream, and the operand that matrix products read of it: the same
// tiles in fp32, or a bf16 copy.
struct ResidualGradient {
  Tiled<float> sum;  // (n, C)
  Operand operand;   // (n, C)
};

// Every method cuts its matrix as the ops that write it are cut. What matrix products read is an
// Operand, fp32 or bf16 by the tiling's precision; the rest is fp32 in every step.
class StepMatrices {
 public:
  // REQUIRES: the references outlive this.
  StepMatrices(Arena& arena, TileTable& tiles, const Tiling& tiling)
      : arena_(arena), tiles_(tiles), tiling_(tiling) {}

  const Tiling& tiling() const { return tiling_; }

  // Whole rows, as norms and the embedding write them.
  Tiled<float> whole_rows(const std::string& name, int64_t cols) const {
    return matrix<float>(name, tiling_.n(), cols, tiling_.norm_rows, cols);
  }
  Operand whole_row_operand(const std::string& name, int64_t cols) const {
    return operand(name, cols, tiling_.norm_rows, cols);
  }
  ResidualGradient residual_gradient(const std::string& name, int64_t C) const {
    const Tiled<float> sum = whole_rows(name, C);
    if (tiling_.precision == Precision::kFp32) return {sum, sum};
    return {sum, whole_row_operand(name + "_bf16", C)};
  }

  // The result of a product with K inputs: y = x W^T has as many columns as W has outputs, and
  // dx = dy W as many as W has inputs.
  Tiled<float> product(const std::string& name, int64_t cols, int64_t K) const {
    return matrix<float>(name, tiling_.n(), cols, tiling_.rows, tiling_.columns(cols, K));
  }
  Operand product_operand(const std::string& name, int64_t cols, int64_t K) const {
    return operand(name, cols, tiling_.rows, tiling_.columns(cols, K));
  }

  // Tiles of one sequence by one group of heads of HS columns each.
  Operand heads(const std::string& name, int64_t cols, int64_t HS) const {
    return operand(name, cols, tiling_.T, tiling_.heads * HS);
  }

  // One value per token.
  template <typename T>
  Tiled<T> per_row(const std::string& name) const {
    return matrix<T>(name, tiling_.n(), 1, tiling_.norm_rows, 1);
  }

  // One row of partial sums per op of a norm.
  Tiled<float> norm_partials(const std::string& name, int64_t C) const {
    return matrix<float>(name, ceil_div(tiling_.n(), tiling_.norm_rows), C, 1, C);
  }

  template <typename T>
  Tiled<T> matrix(const std::string& name, int64_t rows, int64_t cols, int64_t row_tile,
                  int64_t col_tile) const {
    return allocate_tiled<T>(arena_, tiles_, name, rows, cols, row_tile, col_tile);
  }

  Arena& arena() const { return arena_; }
  TileTable& tiles() const { return tiles_; }

 private:
  Operand operand(const std::string& name, int64_t cols, int64_t row_tile, int64_t col_tile) const {
    return allocate_operand(tiling_.precision, arena_, tiles_, name, tiling_.n(), cols, row_tile,
                            col_tile);
  }

  Arena& arena_;
  TileTable& tiles_;
  const Tiling& tiling_;
};

}  // namespace weft
