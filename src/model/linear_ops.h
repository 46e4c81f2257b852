// The ops of a linear layer y = x W^T + b: forward with a fused epilogue, dX, and dW with db.
#pragma once

#include <functional>
#include <string>

#include "kernels/gemm.h"
#include "model/operand.h"
#include "model/tiling.h"
#include "program/program.h"
#include "program/tiled.h"

namespace weft {

// What an op does with a piece of its tile of the result while that is still in cache, and which
// other tiles that touches.
struct Epilogue {
  std::function<std::vector<TileId>(Range rows, Range cols)> reads;
  std::function<std::vector<TileId>(Range rows, Range cols)> writes;  // besides the result
  // `values` are the product's, in fp32: the result's own memory, or, where the result is bf16, a
  // copy that this rounds into it. Must not throw.
  std::function<void(Matrix<float> values, Range rows, Range cols)> run;
};

// Whether a gradient is the first of its optimizer step, which overwrites what was there.
enum class Sum { kOverwrite, kAdd };

// The precision of a product is that of its left operand; its sums are fp32. Without an epilogue, a
// bf16 result is the sums rounded.

// y = x W^T, then the epilogue: x (n, K), W (N, K), y (n, N). One op per tile of y. W may be bf16
// where x is fp32 and has one row.
void append_linear_forward(Program& program, const OpName& name, const Operand& x, const Operand& W,
                           const Operand& y, const Epilogue& epilogue, GemmBackend backend);

// dx = dy W, then the epilogue: dy (n, N), W (N, K), dx (n, K). One op per tile of dx.
void append_linear_backward_input(Program& program, const OpName& name, const Operand& dy,
                                  const Tiled<float>& W, const Operand& dx,
                                  const Epilogue& epilogue, GemmBackend backend);

// dW = dy^T x, db = column sums of dy (added to, with kAdd), then the epilogue on the tile of dW.
// One op per tile of dW, over all n rows. REQUIRES: db is cut as the rows of dW are; dy and x are
// of one precision.
void append_linear_backward_weight(Program& program, const OpName& name, const Operand& dy,
                                   const Operand& x, const Tiled<float>& dW, const Tiled<float>& db,
                                   Sum sum, const Epilogue& epilogue, GemmBackend backend);

}  // namespace weft
