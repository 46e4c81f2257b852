#include <algorithm>
#include <memory>

#include "kernels/linear.h"
#include "measure/case_list.h"

namespace weft {
namespace {

// A layer y (rows, N) = x (rows, K) W^T, and the tile of it that one op computes.
struct Layer {
  std::string name;
  int64_t N, K;
};

// y tile (rows, cols) = x (rows, K) W[cols]^T, rows of y `ldy` apart.
void add_forward(CaseList& list, const Layer& layer, int64_t rows, int64_t cols, int64_t ldy) {
  const int64_t K = layer.K;
  const auto kernel = std::make_shared<const LinearForward<float>>(rows, cols, K, K, ldy);
  list.add(layer.name + "/forward",
           kernel_cost::linear_forward(double(rows), double(cols), double(K)),
           [=](Operands& o) -> KernelCall {
             const Matrix<float> W = o.matrix(cols, K), x = o.shared("x", rows, K);
             const Matrix<float> y = o.shared("y", rows, ldy).col_block(0, cols);
             std::byte* scratch = o.scratch(kernel->scratch_bytes());
             return {[=] { (*kernel)(x, W, y, scratch); }};
           });
}

// dx tile (rows, cols) (+)= dy (rows, N) W[:, cols].
void add_backward_input(CaseList& list, const Layer& layer, int64_t rows, int64_t cols,
                        bool accumulate) {
  const int64_t N = layer.N, K = layer.K;
  const auto kernel =
      std::make_shared<const LinearBackwardInput<float>>(rows, N, cols, N, K, accumulate);
  list.add(layer.name + "/dX",
           kernel_cost::linear_backward_input(double(rows), double(N), double(cols), accumulate),
           [=](Operands& o) -> KernelCall {
             const Matrix<float> W = o.columns(N, cols, K), dy = o.shared("dy", rows, N);
             const Matrix<float> dx = o.shared("dx", rows, K).col_block(0, cols);
             std::byte* scratch = o.scratch(kernel->scratch_bytes());
             return {[=] { (*kernel)(dy, W, dx, scratch); }};
           });
}

// dW tile (out, in) += dy[:, out]^T x[:, in] over all rows; rows of dy are `lddy` apart.
void add_backward_weight(CaseList& list, const Layer& layer, int64_t rows, int64_t out, int64_t in,
                         int64_t lddy) {
  const int64_t K = layer.K;
  const auto kernel = std::make_shared<const LinearBackwardWeight<float>>(rows, out, in, K, true);
  list.add(layer.name + "/dW",
           kernel_cost::linear_backward_weight(double(rows), double(out), double(in)),
           [=](Operands& o) -> KernelCall {
             const Matrix<float> dW = o.columns(out, in, K);
             const Matrix<float> dy = o.shared("dy", rows, lddy).col_block(0, out);
             const Matrix<float> x = o.shared("x", rows, K).col_block(0, in);
             std::byte* scratch = o.scratch(kernel->scratch_bytes());
             return {[=] { (*kernel)(dy, x, dW, {}, scratch); }};
           });
}

void add_block_layer(CaseList& list, const Tiling& tiling, const Layer& layer) {
  const int64_t N = layer.N, K = layer.K;
  add_forward(list, layer, tiling.rows, std::min(N, tiling.columns(N, K)), N);
  add_backward_input(list, layer, tiling.rows, std::min(K, tiling.columns(K, N)), false);
  add_backward_weight(list, layer, tiling.n(), std::min(N, tiling.weight_rows(N, K)),
                      std::min(K, tiling.weight_columns(K)), N);
}

}  // namespace

void add_linear_cases(CaseList& list, const Config& config, const Tiling& tiling) {
  const int64_t C = config.C;
  add_block_layer(list, tiling, {"qkv", 3 * C, C});
  add_block_layer(list, tiling, {"attproj", C, C});
  add_block_layer(list, tiling, {"fc", 4 * C, C});
  add_block_layer(list, tiling, {"fcproj", C, 4 * C});

  // The logits of a block of the vocabulary are a matrix of their own.
  const int64_t words = std::min(config.Vp(), tiling.vocabulary_columns);
  const Layer logits = {"logits", words, C};
  add_forward(list, logits, tiling.classifier_rows, words, words);
  add_backward_input(list, logits, tiling.rows, C, true);
  add_backward_weight(list, logits, tiling.classifier_rows, words, C, words);
}

}  // namespace weft
