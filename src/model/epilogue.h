// Epilogue: the rest of the work of a matrix product's op on each piece of its result.
#pragma once

#include <functional>
#include <vector>

#include "base/view.h"
#include "program/tiled.h"

namespace weft {

// Called on a piece of the op's tile while that is still in cache.
struct Epilogue {
  // The tiles that `run` reads and writes besides the result.
  std::function<std::vector<TileId>(Range rows, Range cols)> reads;
  std::function<std::vector<TileId>(Range rows, Range cols)> writes;
  // `values` are the product's, in fp32: the result's own memory, or, where the result is bf16, a
  // copy that this rounds into it. Must not throw.
  std::function<void(Matrix<float> values, Range rows, Range cols)> run;
};

}  // namespace weft
