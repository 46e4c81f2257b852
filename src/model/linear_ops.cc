#include "model/linear_ops.h"

#include <fmt/format.h>

#include "kernels/linear.h"
#include "model/kernel_cache.h"

namespace weft {
namespace {

std::vector<TileId> extra(const std::function<std::vector<TileId>(Range, Range)>& tiles, Range rows,
                          Range cols) {
  return tiles ? tiles(rows, cols) : std::vector<TileId>{};
}

// Calls emit(rows, cols, "[r0,c1]") for every tile of `result`, row by row of tiles.
template <typename Emit>
void for_each_tile(const Tiled<float>& result, const Emit& emit) {
  const std::vector<Range> row_ranges = result.row_ranges(), col_ranges = result.col_ranges();
  for (size_t i = 0; i < row_ranges.size(); ++i) {
    for (size_t j = 0; j < col_ranges.size(); ++j) {
      emit(row_ranges[i], col_ranges[j], fmt::format("[r{},c{}]", i, j));
    }
  }
}

// The epilogue on a piece of the tile that begins at (rows.begin, cols.begin).
PieceDone piece_done(const Epilogue& epilogue, Range rows, Range cols) {
  if (!epilogue.run) return {};
  return [run = epilogue.run, rows, cols](const Piece& p) {
    const int64_t row = rows.begin + p.row, col = cols.begin + p.col;
    run({row, row + p.rows}, {col, col + p.cols});
  };
}

}  // namespace

void append_linear_forward(Program& program, const std::string& name, const Tiled<float>& x,
                           const Tiled<float>& W, const Tiled<float>& y, const Epilogue& epilogue,
                           GemmBackend backend) {
  KernelCache<LinearForward> kernels;
  for_each_tile(y, [&](Range rows, Range cols, const std::string& suffix) {
    auto kernel = kernels.get(rows.size(), cols.size(), [&] {
      return LinearForward(rows.size(), cols.size(), x.cols(), x.matrix().stride, y.matrix().stride,
                           backend);
    });
    const PieceDone done = piece_done(epilogue, rows, cols);
    program.add(
        {.name = name + suffix,
         .phase = Phase::kForward,
         .reads = tiles_of({x.over(rows), W.over(cols), extra(epilogue.reads, rows, cols)}),
         .writes = tiles_of({y.over(rows, cols), extra(epilogue.writes, rows, cols)}),
         .run = [kernel, x_tile = x.block(rows), W_tile = W.block(cols),
                 y_tile = y.block(rows, cols),
                 done](std::byte* scratch) { (*kernel)(x_tile, W_tile, y_tile, scratch, done); },
         .scratch_bytes = kernel->scratch_bytes()});
  });
}

void append_linear_backward_input(Program& program, const std::string& name, const Tiled<float>& dy,
                                  const Tiled<float>& W, const Tiled<float>& dx,
                                  const Epilogue& epilogue, GemmBackend backend) {
  KernelCache<LinearBackwardInput> kernels;
  for_each_tile(dx, [&](Range rows, Range cols, const std::string& suffix) {
    auto kernel = kernels.get(rows.size(), cols.size(), [&] {
      return LinearBackwardInput(rows.size(), dy.cols(), cols.size(), dy.matrix().stride,
                                 dx.matrix().stride, false, backend);
    });
    const PieceDone done = piece_done(epilogue, rows, cols);
    program.add(
        {.name = name + suffix,
         .phase = Phase::kBackward,
         .reads = tiles_of({dy.over(rows), W.over_cols(cols), extra(epilogue.reads, rows, cols)}),
         .writes = tiles_of({dx.over(rows, cols), extra(epilogue.writes, rows, cols)}),
         .run = [kernel, dy_tile = dy.block(rows), W_tile = W.block({0, W.rows()}, cols),
                 dx_tile = dx.block(rows, cols),
                 done](std::byte* scratch) { (*kernel)(dy_tile, W_tile, dx_tile, scratch, done); },
         .scratch_bytes = kernel->scratch_bytes()});
  });
}

void append_linear_backward_weight(Program& program, const std::string& name,
                                   const Tiled<float>& dy, const Tiled<float>& x,
                                   const Tiled<float>& dW, const Tiled<float>& db, Sum sum,
                                   const Epilogue& epilogue, GemmBackend backend) {
  KernelCache<LinearBackwardWeight> kernels;
  for_each_tile(dW, [&](Range out, Range in, const std::string& suffix) {
    auto kernel = kernels.get(out.size(), in.size(), [&] {
      return LinearBackwardWeight(dy.rows(), out.size(), in.size(), dW.matrix().stride,
                                  sum == Sum::kAdd, backend);
    });
    // The column sums of dy are taken once, beside the first block of inputs.
    const bool with_bias = in.begin == 0;
    const PieceDone done = piece_done(epilogue, out, in);
    program.add(
        {.name = name + suffix,
         .phase = Phase::kBackward,
         .reads = tiles_of({dy.over_cols(out), x.over_cols(in), extra(epilogue.reads, out, in)}),
         .writes =
             tiles_of({dW.over(out, in), with_bias ? db.over_cols(out) : std::vector<TileId>{},
                       extra(epilogue.writes, out, in)}),
         .run = [kernel, dy = dy.block({0, dy.rows()}, out), x = x.block({0, x.rows()}, in),
                 dW = dW.block(out, in), db = with_bias ? db.row_elements(out) : Vector<float>(),
                 done](std::byte* scratch) { (*kernel)(dy, x, dW, db, scratch, done); },
         .scratch_bytes = kernel->scratch_bytes()});
  });
}

}  // namespace weft
