#include "model/layers/linear.h"

#include <fmt/format.h>

#include <type_traits>
#include <utility>

#include "base/error.h"
#include "kernels/bfloat16.h"
#include "kernels/elementwise.h"
#include "kernels/kernel_costs.h"
#include "kernels/linear.h"
#include "model/layers/kernel_cache.h"

namespace weft {
namespace {

// The tiles that an epilogue adds to those of its op.
std::vector<TileId> extra(const std::function<std::vector<TileId>(Range, Range)>& tiles, Range rows,
                          Range cols) {
  return tiles ? tiles(rows, cols) : std::vector<TileId>{};
}

// Calls emit(rows, cols, "r0,c1") for every tile of `result`, row by row of tiles.
template <typename T, typename Emit>
void for_each_tile(const Tiled<T>& result, const Emit& emit) {
  const std::vector<Range> row_ranges = result.row_ranges(), col_ranges = result.col_ranges();
  for (size_t i = 0; i < row_ranges.size(); ++i) {
    for (size_t j = 0; j < col_ranges.size(); ++j) {
      emit(row_ranges[i], col_ranges[j], fmt::format("r{},c{}", i, j));
    }
  }
}

// Where a product leaves its sums: in the result, or, where that is bf16, in scratch.
Matrix<float> sums_in(const Tiled<float>& result, Range rows, Range cols) {
  return result.block(rows, cols);
}
Matrix<float> sums_in(const Tiled<BFloat16>&, Range, Range) { return {}; }

int64_t row_distance(const Tiled<float>& result) { return result.matrix().stride; }
int64_t row_distance(const Tiled<BFloat16>&) { return 0; }

std::function<void(Matrix<float>, Range, Range)> keep(const Tiled<float>&) { return {}; }
std::function<void(Matrix<float>, Range, Range)> keep(const Tiled<BFloat16>& result) {
  return [result](Matrix<float> values, Range rows, Range cols) {
    convert(values, result.block(rows, cols));
  };
}

// The epilogue on a piece of the tile that begins at (rows.begin, cols.begin).
template <typename T>
PieceDone piece_done(const Epilogue& epilogue, const Tiled<T>& result, Range rows, Range cols) {
  auto run = epilogue.run ? epilogue.run : keep(result);
  if (!run) return {};
  return [run = std::move(run), rows, cols](const Piece& p, Matrix<float> values) {
    const int64_t row = rows.begin + p.row, col = cols.begin + p.col;
    run(values, {row, row + p.rows}, {col, col + p.cols});
  };
}

// The properties that all ops of one product share.
struct ProductOps {
  Program& program;
  OpName name;
  Phase phase;
  GemmBackend backend;
};

template <typename T, typename W_, typename R>
void append_forward_ops(ProductOps ops, const Tiled<T>& x, const Tiled<W_>& W, const Tiled<R>& y,
                        const Epilogue& epilogue) {
  KernelCache<LinearForward<T>> kernels;
  for_each_tile(y, [&](Range rows, Range cols, const std::string& tile) {
    auto kernel = kernels.get(rows.size(), cols.size(), [&] {
      return LinearForward<T>(rows.size(), cols.size(), x.cols(), x.matrix().stride,
                              row_distance(y), ops.backend);
    });
    const PieceDone done = piece_done(epilogue, y, rows, cols);
    ops.name.tile = tile;
    ops.program.add(
        {.name = ops.name,
         .phase = ops.phase,
         .reads = tiles_of({x.over(rows), W.over(cols), extra(epilogue.reads, rows, cols)}),
         .writes = tiles_of({y.over(rows, cols), extra(epilogue.writes, rows, cols)}),
         .run = [kernel, x_tile = x.block(rows), W_tile = W.block(cols),
                 sums = sums_in(y, rows, cols),
                 done](std::byte* scratch) { (*kernel)(x_tile, W_tile, sums, scratch, done); },
         .scratch_bytes = kernel->scratch_bytes(),
         .flops =
             kernel_cost::linear_forward(double(rows.size()), double(cols.size()), double(x.cols()))
                 .flops});
  });
}

template <typename T, typename R>
void append_backward_input_ops(ProductOps ops, const Tiled<T>& dy, const Tiled<float>& W,
                               const Tiled<R>& dx, const Epilogue& epilogue) {
  KernelCache<LinearBackwardInput<T>> kernels;
  for_each_tile(dx, [&](Range rows, Range cols, const std::string& tile) {
    auto kernel = kernels.get(rows.size(), cols.size(), [&] {
      return LinearBackwardInput<T>(rows.size(), dy.cols(), cols.size(), dy.matrix().stride,
                                    row_distance(dx), false, ops.backend);
    });
    const PieceDone done = piece_done(epilogue, dx, rows, cols);
    ops.name.tile = tile;
    ops.program.add(
        {.name = ops.name,
         .phase = ops.phase,
         .reads = tiles_of({dy.over(rows), W.over_cols(cols), extra(epilogue.reads, rows, cols)}),
         .writes = tiles_of({dx.over(rows, cols), extra(epilogue.writes, rows, cols)}),
         .run = [kernel, dy_tile = dy.block(rows), W_tile = W.block({0, W.rows()}, cols),
                 sums = sums_in(dx, rows, cols),
                 done](std::byte* scratch) { (*kernel)(dy_tile, W_tile, sums, scratch, done); },
         .scratch_bytes = kernel->scratch_bytes(),
         .flops = kernel_cost::linear_backward_input(double(rows.size()), double(dy.cols()),
                                                     double(cols.size()), false)
                      .flops});
  });
}

template <typename T>
void append_backward_weight_ops(ProductOps ops, const Tiled<T>& dy, const Tiled<T>& x,
                                const Tiled<float>& dW, const Tiled<float>& db, bool accumulate,
                                const Epilogue& epilogue) {
  KernelCache<LinearBackwardWeight<T>> kernels;
  for_each_tile(dW, [&](Range out, Range in, const std::string& tile) {
    auto kernel = kernels.get(out.size(), in.size(), [&] {
      return LinearBackwardWeight<T>(dy.rows(), out.size(), in.size(), dW.matrix().stride,
                                     accumulate, ops.backend);
    });
    // The column sums of dy are taken once, beside the first block of inputs.
    const bool with_bias = in.begin == 0;
    const PieceDone done = piece_done(epilogue, dW, out, in);
    ops.name.tile = tile;
    ops.program.add(
        {.name = ops.name,
         .phase = ops.phase,
         .reads = tiles_of({dy.over_cols(out), x.over_cols(in), extra(epilogue.reads, out, in)}),
         .writes =
             tiles_of({dW.over(out, in), with_bias ? db.over_cols(out) : std::vector<TileId>{},
                       extra(epilogue.writes, out, in)}),
         .run = [kernel, dy = dy.block({0, dy.rows()}, out), x = x.block({0, x.rows()}, in),
                 dW = dW.block(out, in), db = with_bias ? db.row_elements(out) : Vector<float>(),
                 done](std::byte* scratch) { (*kernel)(dy, x, dW, db, scratch, done); },
         .scratch_bytes = kernel->scratch_bytes(),
         .flops = kernel_cost::linear_backward_weight(double(dy.rows()), double(out.size()),
                                                      double(in.size()))
                      .flops});
  });
}

// A bf16 product may leave a result of either precision, an fp32 product only an fp32 one.
template <typename Append>
void visit_product(const Operand& left, const Operand& result, const Append& append) {
  left.visit([&](const auto& x) {
    result.visit([&](const auto& y) {
      constexpr bool is_fp32 = std::is_same_v<decltype(x), const Tiled<float>&>;
      constexpr bool has_bf16_result = std::is_same_v<decltype(y), const Tiled<BFloat16>&>;
      if constexpr (is_fp32 && has_bf16_result) {
        require(false, "an fp32 product has an fp32 result");
      } else {
        append(x, y);
      }
    });
  });
}

// An fp32 result is already in its place when it takes the bias, a bf16 result takes it as the
// product's sums are rounded.
void store_with_bias(Vector<const float> bias, Matrix<float>, Matrix<float> y) {
  add_bias(bias, y);
}
void store_with_bias(Vector<const float> bias, Matrix<float> sums, Matrix<BFloat16> y) {
  add_bias(bias, sums, y);
}

// docs/model.md#linear-layers
void append_input_gradient(const LayerOps& ops, const BackwardParts& parts, const Linear& linear,
                           const Operand& dy, const Operand& dx, const Epilogue& epilogue) {
  const ProductOps product{ops.program, ops.name(fmt::format("{}/dX", linear.name)),
                           Phase::kBackward, parts.backend};
  const Tiled<float>& W = parts.weights.get(linear.weight, ops.layer);
  visit_product(dy, dx, [&](const auto& dy, const auto& dx) {
    append_backward_input_ops(product, dy, W, dx, epilogue);
  });
}

// docs/model.md#linear-layers
void append_weight_gradient(const LayerOps& ops, const BackwardParts& parts, const Linear& linear,
                            const Operand& dy, const Operand& x) {
  const ProductOps product{ops.program, ops.name(fmt::format("{}/dW", linear.name)),
                           Phase::kBackward, parts.backend};
  const Tiled<float>& dW = parts.dweights.get(linear.weight, ops.layer);
  const Tiled<float>& db = parts.dweights.get(linear.bias, ops.layer);
  const Epilogue done = parts.sink.on_tile(parts.index(linear.weight, ops.layer));
  visit_alike(dy, x, [&](const auto& dy, const auto& x) {
    append_backward_weight_ops(product, dy, x, dW, db, !parts.micro.first, done);
  });
  parts.complete(linear.bias, ops.layer);
}

}  // namespace

// docs/model.md#linear-layers
void append_linear_forward(const LayerOps& ops, const LayerParts& parts, const Linear& linear,
                           const Operand& x, const Operand& y, const Epilogue& epilogue) {
  const ProductOps product{ops.program, ops.name(fmt::format("{}/forward", linear.name)),
                           ops.forward_phase(), parts.backend};
  const Operand W = parts.linear_weight(linear.weight, ops.layer);
  visit_product(x, y, [&](const auto& x, const auto& y) {
    W.visit([&](const auto& W) {
      constexpr bool has_bf16_x = std::is_same_v<decltype(x), const Tiled<BFloat16>&>;
      constexpr bool has_bf16_W = std::is_same_v<decltype(W), const Tiled<BFloat16>&>;
      require(!has_bf16_W || (!has_bf16_x && x.rows() == 1), "bf16 weights meet one fp32 row");
      if constexpr (!has_bf16_W || !has_bf16_x) {
        append_forward_ops(product, x, W, y, epilogue);
      }
    });
  });
}

// docs/model.md#linear-layers
Epilogue bias_epilogue(const Tiled<float>& bias, const Operand& y) {
  return y.visit([&](const auto& y) -> Epilogue {
    return {.reads = [&bias](Range, Range cols) { return bias.over_cols(cols); },
            .writes = {},
            .run =
                [bias, y](Matrix<float> sums, Range rows, Range cols) {
                  store_with_bias(bias.row_elements(cols), sums, y.block(rows, cols));
                }};
  });
}

// docs/model.md#residuals
Epilogue residual_epilogue(const Tiled<float>& bias, const Tiled<float>& residual,
                           const Tiled<float>& y) {
  return {.reads =
              [&bias, &residual](Range rows, Range cols) {
                return tiles_of({bias.over_cols(cols), residual.over(rows, cols)});
              },
          .writes = {},
          .run =
              [bias, residual, y](Matrix<float>, Range rows, Range cols) {
                add_bias_residual(bias.row_elements(cols), residual.block(rows, cols),
                                  y.block(rows, cols));
              }};
}

// docs/model.md#linear-layers
void append_linear_backward(const LayerOps& ops, const BackwardParts& parts, const Linear& linear,
                            const Operand& x, const Operand& dy, const Operand& dx,
                            const Epilogue& dx_epilogue) {
  append_input_gradient(ops, parts, linear, dy, dx, dx_epilogue);
  append_weight_gradient(ops, parts, linear, dy, x);
}

}  // namespace weft
