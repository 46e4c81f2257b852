#include "kernels/instruction_cases.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/adamw.h"
#include "kernels/attention.h"
#include "kernels/bfloat16.h"
#include "kernels/cross_entropy.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/layernorm.h"
#include "kernels/linear.h"
#include "kernels/matvec.h"
#include "kernels/pack_bf16.h"
#include "kernels/transpose.h"

namespace weft {
namespace {

using Call = std::function<void()>;

// Large enough that a call takes some hundred thousand instructions, so that what is spent around
// a kernel's loops does not count for much; not a multiple of a vector, so that tails do count.
constexpr int64_t kRows = 199, kCols = 771, kElements = kRows * kCols;

// Products: more rows than one strip, more columns than one panel, and a longer inner dimension
// than what weight gradients sum at a time.
constexpr int64_t M = 67, N = 131, K = 768;

// Attention: the last tile of a sequence is not full.
constexpr int64_t T = 200, HS = 64;

// Cross-entropy: some blocks of a padded vocabulary, the last one narrower.
constexpr int64_t kLogitRows = 13, V = 5003, Vp = 5056, kBlockCols = 1024;

// Embedding: fewer words than tokens, so that some come more than once.
constexpr int64_t kWords = 97;

Call linear_forward_case(CaseMemory& memory) {
  const auto kernel = std::make_shared<const LinearForward<float>>(M, N, K, K, N);
  const auto x = memory.matrix(M, K), W = memory.matrix(N, K);
  const auto y = memory.matrix(M, N);
  std::byte* scratch = memory.scratch(kernel->scratch_bytes());
  return [=] { (*kernel)(x, W, y, scratch); };
}

Call linear_backward_input_case(CaseMemory& memory) {
  const auto kernel = std::make_shared<const LinearBackwardInput<float>>(M, K, N, K, N, true);
  const auto dy = memory.matrix(M, K), W = memory.matrix(K, N), dx = memory.matrix(M, N);
  std::byte* scratch = memory.scratch(kernel->scratch_bytes());
  return [=] { (*kernel)(dy, W, dx, scratch); };
}

Call linear_backward_weight_case(CaseMemory& memory) {
  const auto kernel = std::make_shared<const LinearBackwardWeight<float>>(K, N, M, M, true);
  const auto dy = memory.matrix(K, N), x = memory.matrix(K, M), dW = memory.matrix(N, M);
  const auto db = memory.vector(N);
  std::byte* scratch = memory.scratch(kernel->scratch_bytes());
  return [=] { (*kernel)(dy, x, dW, db, scratch); };
}

Call matvec_case(CaseMemory& memory) {
  const auto W = memory.matrix(kRows, kCols);
  const auto x = memory.vector(kCols), y = memory.vector(kRows);
  return [=] { matvec(W, x, y); };
}

Call matvec_bf16_case(CaseMemory& memory) {
  const auto W = memory.bf16_matrix(kRows, kCols);
  const auto x = memory.vector(kCols), y = memory.vector(kRows);
  return [=] { matvec(Matrix<const BFloat16>(W), x, y); };
}

Call attention_forward_case(CaseMemory& memory) {
  const auto kernel = std::make_shared<const Attention<float>>(T, HS);
  const auto q = memory.matrix(T, HS), k = memory.matrix(T, HS);
  const auto v = memory.matrix(T, HS), out = memory.matrix(T, HS);
  const auto lse = memory.vector(T);
  std::byte* scratch = memory.scratch(kernel->forward_scratch_bytes());
  return [=] { kernel->forward(q, k, v, out, lse, scratch); };
}

Call attention_backward_case(CaseMemory& memory) {
  const auto kernel = std::make_shared<const Attention<float>>(T, HS);
  const auto q = memory.matrix(T, HS), k = memory.matrix(T, HS), v = memory.matrix(T, HS);
  const auto out = memory.matrix(T, HS), dout = memory.matrix(T, HS);
  const auto dq = memory.matrix(T, HS), dk = memory.matrix(T, HS), dv = memory.matrix(T, HS);
  const auto lse = memory.vector(T);
  std::byte* scratch =
      memory.scratch(std::max(kernel->forward_scratch_bytes(), kernel->backward_scratch_bytes()));
  kernel->forward(q, k, v, out, lse, scratch);
  return [=] { kernel->backward(q, k, v, out, lse, dout, dq, dk, dv, scratch); };
}

Call attention_cached_case(CaseMemory& memory) {
  constexpr int64_t kQueries = 5, kKeys = 997;
  const auto q = memory.matrix(kQueries, HS), out = memory.matrix(kQueries, HS);
  const auto k = memory.matrix(kKeys, HS), v = memory.matrix(kKeys, HS);
  const auto scores = memory.vector(kKeys);
  return [=] { attention_cached(q, k, v, kKeys - kQueries, out, scores); };
}

Call layernorm_forward_case(CaseMemory& memory) {
  const auto x = memory.matrix(kRows, kCols), out = memory.matrix(kRows, kCols);
  const auto weight = memory.vector(kCols), bias = memory.vector(kCols);
  const auto mean = memory.vector(kRows), rstd = memory.vector(kRows);
  return [=] { layernorm_forward(x, weight, bias, out, mean, rstd); };
}

Call layernorm_backward_case(CaseMemory& memory) {
  const auto x = memory.matrix(kRows, kCols), dout = memory.matrix(kRows, kCols);
  const auto dx = memory.matrix(kRows, kCols);
  const auto weight = memory.vector(kCols), bias = memory.vector(kCols);
  const auto dweight = memory.vector(kCols), dbias = memory.vector(kCols);
  const auto mean = memory.vector(kRows), rstd = memory.vector(kRows);
  layernorm_forward(x, weight, bias, dx, mean, rstd);
  return [=] { layernorm_backward(x, weight, mean, rstd, dout, dx, dweight, dbias); };
}

Call add_bias_case(CaseMemory& memory) {
  const auto bias = memory.vector(kCols);
  const auto y = memory.matrix(kRows, kCols);
  return [=] { add_bias(bias, y); };
}

Call add_bias_residual_case(CaseMemory& memory) {
  const auto bias = memory.vector(kCols);
  const auto residual = memory.matrix(kRows, kCols);
  const auto y = memory.matrix(kRows, kCols);
  return [=] { add_bias_residual(bias, residual, y); };
}

Call add_bias_gelu_case(CaseMemory& memory) {
  const auto bias = memory.vector(kCols);
  const auto x = memory.matrix(kRows, kCols), out = memory.matrix(kRows, kCols);
  return [=] { add_bias_gelu(bias, x, out); };
}

Call gelu_backward_case(CaseMemory& memory) {
  const auto x = memory.matrix(kRows, kCols), dx = memory.matrix(kRows, kCols);
  const auto y = memory.matrix(kRows, kCols);
  return [=] { gelu_backward(x, dx, y); };
}

// The bf16 forms, which run on AVX2, too.
Call layernorm_forward_bf16_case(CaseMemory& memory) {
  const auto x = memory.matrix(kRows, kCols);
  const auto out = memory.bf16_matrix(kRows, kCols);
  const auto weight = memory.vector(kCols), bias = memory.vector(kCols);
  const auto mean = memory.vector(kRows), rstd = memory.vector(kRows);
  return [=] { layernorm_forward(x, weight, bias, out, mean, rstd); };
}

Call add_bias_bf16_case(CaseMemory& memory) {
  const auto bias = memory.vector(kCols);
  const auto x = memory.matrix(kRows, kCols);
  const auto y = memory.bf16_matrix(kRows, kCols);
  return [=] { add_bias(bias, x, y); };
}

Call add_bias_gelu_bf16_case(CaseMemory& memory) {
  const auto bias = memory.vector(kCols);
  const auto x = memory.matrix(kRows, kCols);
  const auto y = memory.bf16_matrix(kRows, kCols), out = memory.bf16_matrix(kRows, kCols);
  return [=] { add_bias_gelu(bias, x, y, out); };
}

Call gelu_backward_bf16_case(CaseMemory& memory) {
  const auto x = memory.bf16_matrix(kRows, kCols);
  const auto dout = memory.matrix(kRows, kCols);
  const auto dx = memory.bf16_matrix(kRows, kCols), y = memory.bf16_matrix(kRows, kCols);
  return [=] { gelu_backward(x, dout, dx, y); };
}

Call add_row_sums_bf16_case(CaseMemory& memory) {
  const auto x = memory.bf16_matrix(kRows, kCols);
  const auto sums = memory.vector(kRows);
  return [=] { add_row_sums(x, sums); };
}

Call cross_entropy_forward_backward_bf16_case(CaseMemory& memory) {
  const ColumnBlocks logits = {memory.matrix(kLogitRows, Vp).data, kLogitRows, Vp, kBlockCols};
  const auto targets = memory.indices(kLogitRows, V);
  const auto losses = memory.vector(kLogitRows);
  return [=] { cross_entropy_forward_backward_bf16(logits, 0, V, targets, 0.1f, losses); };
}

Call add_column_sums_case(CaseMemory& memory) {
  const auto x = memory.matrix(kRows, kCols);
  const auto sums = memory.vector(kCols);
  return [=] { add_column_sums(x, sums); };
}

Call add_row_sums_case(CaseMemory& memory) {
  const auto x = memory.matrix(kRows, kCols);
  const auto sums = memory.vector(kRows);
  return [=] { add_row_sums(x, sums); };
}

Call add_case(CaseMemory& memory) {
  const auto addend = memory.vector(kElements), sum = memory.vector(kElements);
  return [=] { add(addend, sum); };
}

Call copy_case(CaseMemory& memory) {
  const auto from = memory.matrix(kRows, kCols);
  const auto to = memory.matrix(kRows, kCols);
  return [=] { copy(from, to); };
}

Call fill_zero_case(CaseMemory& memory) {
  const auto x = memory.matrix(kRows, kCols);
  return [=] { fill_zero(x); };
}

Call transpose_case(CaseMemory& memory) {
  const auto from = memory.matrix(kRows, kCols);
  const auto to = memory.matrix(kCols, kRows);
  return [=] { transpose(from, to); };
}

// From and to bf16; these run on AVX2, too.
Call bf16_round_case(CaseMemory& memory) {
  const auto from = memory.matrix(kRows, kCols);
  const auto to = memory.bf16_matrix(kRows, kCols);
  return [=] { convert(from, to); };
}

Call bf16_widen_case(CaseMemory& memory) {
  const auto from = memory.bf16_matrix(kRows, kCols);
  const auto to = memory.matrix(kRows, kCols);
  return [=] { convert(from, to); };
}

Call bf16_pack_case(CaseMemory& memory) {
  const auto from = memory.matrix(kRows, kCols);
  const auto packed = memory.bf16_matrix(1, packed_bf16_size(kRows, kCols)).row(0);
  return [=] { pack_bf16(from, packed); };
}

Call bf16_pack_transposed_case(CaseMemory& memory) {
  const auto from = memory.matrix(kRows, kCols);
  const auto packed = memory.bf16_matrix(1, packed_bf16_size(kCols, kRows)).row(0);
  return [=] { pack_bf16_transposed(from, packed); };
}

Call bf16_transpose_case(CaseMemory& memory) {
  const auto from = memory.matrix(kRows, kCols);
  const auto to = memory.bf16_matrix(kCols, round_up(kRows, 2));
  return [=] { transpose(from, to); };
}

Call cross_entropy_forward_case(CaseMemory& memory) {
  const ColumnBlocks logits = {memory.matrix(kLogitRows, Vp).data, kLogitRows, Vp, kBlockCols};
  const auto targets = memory.indices(kLogitRows, V);
  const auto losses = memory.vector(kLogitRows);
  return [=] { cross_entropy_forward(logits, 0, V, targets, losses); };
}

Call cross_entropy_forward_backward_case(CaseMemory& memory) {
  const ColumnBlocks logits = {memory.matrix(kLogitRows, Vp).data, kLogitRows, Vp, kBlockCols};
  const auto targets = memory.indices(kLogitRows, V);
  const auto losses = memory.vector(kLogitRows);
  return [=] { cross_entropy_forward_backward(logits, 0, V, targets, 0.1f, losses); };
}

Call embedding_forward_case(CaseMemory& memory) {
  const auto wte = memory.matrix(kWords, kCols);
  const auto wpe = memory.matrix(kRows, kCols);
  const auto tokens = memory.indices(kRows, kWords);
  const auto positions = memory.indices(kRows, kRows);
  const auto out = memory.matrix(kRows, kCols);
  return [=] { embedding_forward(tokens, positions, wte, wpe, out); };
}

Call embedding_backward_case(CaseMemory& memory) {
  const auto tokens = memory.indices(kRows, kWords);
  const auto dout = memory.matrix(kRows, kCols);
  const auto dwte = memory.matrix(kWords, kCols);
  return [=] { embedding_backward(tokens, dout, dwte); };
}

Call adamw_update_case(CaseMemory& memory) {
  const AdamWStep step = {.lr = 1e-4, .weight_decay = 0.1};
  const auto grad = memory.vector(kElements), param = memory.vector(kElements);
  const auto m = memory.vector(kElements), v = memory.vector(kElements);
  for (float& x : v) x = std::abs(x);
  return [=] { adamw_update(step, grad, param, m, v); };
}

Call sum_of_squares_case(CaseMemory& memory) {
  const auto x = memory.vector(kElements), result = memory.vector(1);
  return [=] { result[0] = static_cast<float>(sum_of_squares(x)); };
}

}  // namespace

Vector<float> CaseMemory::vector(int64_t n) {
  const Vector<float> values = arena_.vector<float>(n);
  for (float& value : values) {
    value = 2.f * static_cast<float>(random_()) / static_cast<float>(random_.max()) - 1.f;
  }
  return values;
}

Vector<int32_t> CaseMemory::indices(int64_t n, int64_t limit) {
  const Vector<int32_t> values = arena_.vector<int32_t>(n);
  for (int32_t& value : values) value = static_cast<int32_t>(random_() % uint64_t(limit));
  return values;
}

std::vector<InstructionCase> instruction_cases() {
  return {
      {"linear/forward", linear_forward_case},
      {"linear/backward_input", linear_backward_input_case},
      {"linear/backward_weight", linear_backward_weight_case},
      {"matvec", matvec_case},
      {"matvec_bf16", matvec_bf16_case},
      {"attention/forward", attention_forward_case},
      {"attention/backward", attention_backward_case},
      {"attention_cached", attention_cached_case},
      {"layernorm/forward", layernorm_forward_case},
      {"layernorm/backward", layernorm_backward_case},
      {"add_bias", add_bias_case},
      {"add_bias_residual", add_bias_residual_case},
      {"add_bias_gelu", add_bias_gelu_case},
      {"gelu_backward", gelu_backward_case},
      {"layernorm/forward_bf16", layernorm_forward_bf16_case},
      {"add_bias_bf16", add_bias_bf16_case},
      {"add_bias_gelu_bf16", add_bias_gelu_bf16_case},
      {"gelu_backward_bf16", gelu_backward_bf16_case},
      {"add_row_sums_bf16", add_row_sums_bf16_case},
      {"cross_entropy/forward_backward_bf16", cross_entropy_forward_backward_bf16_case},
      {"add_column_sums", add_column_sums_case},
      {"add_row_sums", add_row_sums_case},
      {"add", add_case},
      {"copy", copy_case},
      {"fill_zero", fill_zero_case},
      {"transpose", transpose_case},
      {"bf16/round", bf16_round_case},
      {"bf16/widen", bf16_widen_case},
      {"bf16/pack", bf16_pack_case},
      {"bf16/pack_transposed", bf16_pack_transposed_case},
      {"bf16/transpose", bf16_transpose_case},
      {"cross_entropy/forward", cross_entropy_forward_case},
      {"cross_entropy/forward_backward", cross_entropy_forward_backward_case},
      {"embedding/forward", embedding_forward_case},
      {"embedding/backward", embedding_backward_case},
      {"adamw_update", adamw_update_case},
      {"sum_of_squares", sum_of_squares_case},
  };
}

}  // namespace weft
