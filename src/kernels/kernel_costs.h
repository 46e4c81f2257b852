// The FLOPs and the bytes that each kernel needs: the two sides of its roofline.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weft {

// FLOPs as the algorithm needs them: an addition, a multiplication, a maximum, exp, tanh, a
// division and a square root count as one each. Bytes as it must move them: each operand read once
// and each result written once, however often a kernel goes over them; += reads and writes.
struct KernelCost {
  double flops = 0.;
  double bytes = 0.;
  bool only_reads = false;  // it writes next to nothing

  // Seconds below which a core cannot be: its arithmetic at flops_per_s, its bytes at bytes_per_s.
  double least_seconds(double flops_per_s, double bytes_per_s) const {
    return std::max(flops / flops_per_s, bytes / bytes_per_s);
  }
  // True if the arithmetic takes longer than the bytes.
  bool is_compute_bound(double flops_per_s, double bytes_per_s) const {
    return flops / flops_per_s > bytes / bytes_per_s;
  }
};

// The one table. Shapes are named as in the kernels' headers; N are elements.
namespace kernel_cost {

inline constexpr double kFloat = 4., kIndex = 4.;  // bytes

// Bytes are a count of floats and a count of indices.
constexpr KernelCost of(double flops, double floats, double indices = 0.) {
  return {flops, kFloat * floats + kIndex * indices};
}

// For kernels that write next to nothing.
constexpr KernelCost reading(double flops, double floats, double indices = 0.) {
  return {flops, kFloat * floats + kIndex * indices, true};
}

// x (M, K), W (N, K), y (M, N).
constexpr KernelCost linear_forward(double M, double N, double K) {
  return of(2 * M * N * K, M * K + N * K + M * N);
}
// dx (+)= dy W: dy (M, N), W (N, K), dx (M, K).
constexpr KernelCost linear_backward_input(double M, double N, double K, bool accumulate) {
  return of(2 * M * N * K, M * N + N * K + (accumulate ? 2 : 1) * M * K);
}
// dW += dy^T x: dy (M, N), x (M, K), dW (N, K).
constexpr KernelCost linear_backward_weight(double M, double N, double K) {
  return of(2 * M * N * K, M * N + M * K + 2 * N * K);
}
// y = W x: W (N, K), of floats or of half as many bytes.
constexpr KernelCost matvec(double N, double K) { return reading(2 * N * K, N * K + K + N); }
constexpr KernelCost matvec_bf16(double N, double K) {
  return reading(2 * N * K, N * K / 2 + K + N);
}

// Queries and keys that meet under the causal mask.
constexpr double causal_pairs(double T) { return T * (T + 1) / 2; }

// q, k, v, out (T, HS), lse (T). Per pair: q . k, and the sum of v.
constexpr KernelCost attention_forward(double T, double HS) {
  return of(4 * HS * causal_pairs(T), 4 * T * HS + T);
}
// q, k, v, out, dout in, dq, dk, dv out. Per pair: q . k again, dout . v, and three sums.
constexpr KernelCost attention_backward(double T, double HS) {
  return of(10 * HS * causal_pairs(T), 8 * T * HS + T);
}
// One query against `keys` cached keys and values.
constexpr KernelCost attention_cached(double keys, double HS) {
  return reading(4 * HS * keys, 2 * keys * HS + 2 * HS);
}

// Mean 1, centre 1, variance 2, normalize 1, weight and bias 2.
constexpr KernelCost layernorm_forward(double n, double C) {
  return of(7 * n * C, 2 * n * C + 2 * C + 2 * n);
}
// xhat 2, g 1, two means 3, dweight and dbias 3, dx 5. dx is added to.
constexpr KernelCost layernorm_backward(double n, double C) {
  return of(14 * n * C, 4 * n * C + 3 * C + 2 * n);
}

constexpr KernelCost add_bias(double n, double C) { return of(n * C, 2 * n * C + C); }
constexpr KernelCost add_bias_residual(double n, double C) { return of(2 * n * C, 3 * n * C + C); }
// Bias 1, then 0.5 x (1 + tanh(x (a + b x^2))): 4 for the argument, tanh 1, 3 around it.
constexpr KernelCost add_bias_gelu(double n, double C) { return of(9 * n * C, 3 * n * C + C); }
// With t = tanh(u): 0.5 (1 + t) + 0.5 x (1 - t^2) u': u 4, t 1, u' 2, the rest 8, times dx 1,
// and gelu itself 1.
constexpr KernelCost gelu_backward(double n, double C) { return of(17 * n * C, 4 * n * C); }
constexpr KernelCost add_column_sums(double n, double C) { return reading(n * C, n * C + 2 * C); }
constexpr KernelCost add(double N) { return of(N, 3 * N); }
constexpr KernelCost fill_zero(double N) { return of(0, N); }
constexpr KernelCost copy(double N) { return of(0, 2 * N); }
constexpr KernelCost transpose(double N) { return of(0, 2 * N); }

// Per logit: maximum 1, difference 1, exp 1, sum 1.
constexpr KernelCost cross_entropy_forward(double n, double V) {
  return reading(4 * n * V, n * V + n, n);
}
// And a product 1; the gradient fills the padding, too.
constexpr KernelCost cross_entropy_forward_backward(double n, double V, double Vp) {
  return of(5 * n * V, n * V + n * Vp + n, n);
}

constexpr KernelCost embedding_forward(double n, double C) { return of(n * C, 3 * n * C, 2 * n); }
constexpr KernelCost embedding_backward(double n, double C) { return of(n * C, 3 * n * C, n); }

// Scale 1, decay 1, m 3, v 4, denominator 3, update 3: 28 bytes per parameter.
constexpr KernelCost adamw_update(double N) { return of(15 * N, 7 * N); }
constexpr KernelCost sum_of_squares(double N) { return reading(2 * N, N); }

}  // namespace kernel_cost
}  // namespace weft
