// LinearKernels: the kernels of linear layers by the precision of their operands, made alike. Only
// those of fp32 have a choice of backend.
#pragma once

#include "base/bfloat16.h"
#include "kernels/linear.h"
#include "kernels/linear_bf16.h"

namespace weft {

template <typename T>
struct LinearKernels;

template <>
struct LinearKernels<float> {
  using Forward = LinearForward;
  using BackwardInput = LinearBackwardInput;
  using BackwardWeight = LinearBackwardWeight;

  static Forward forward(GemmBackend backend, int64_t M, int64_t N, int64_t K, int64_t ldx,
                         int64_t ldy) {
    return {M, N, K, ldx, ldy, backend};
  }
  static BackwardInput backward_input(GemmBackend backend, int64_t M, int64_t N, int64_t K,
                                      int64_t lddy, int64_t lddx, bool accumulate) {
    return {M, N, K, lddy, lddx, accumulate, backend};
  }
  static BackwardWeight backward_weight(GemmBackend backend, int64_t M, int64_t N, int64_t K,
                                        int64_t lddw, bool accumulate) {
    return {M, N, K, lddw, accumulate, backend};
  }
};

template <>
struct LinearKernels<BFloat16> {
  using Forward = LinearForwardBf16;
  using BackwardInput = LinearBackwardInputBf16;
  using BackwardWeight = LinearBackwardWeightBf16;

  static Forward forward(GemmBackend, int64_t M, int64_t N, int64_t K, int64_t ldx, int64_t ldy) {
    return {M, N, K, ldx, ldy};
  }
  static BackwardInput backward_input(GemmBackend, int64_t M, int64_t N, int64_t K, int64_t lddy,
                                      int64_t lddx, bool accumulate) {
    return {M, N, K, lddy, lddx, accumulate};
  }
  static BackwardWeight backward_weight(GemmBackend, int64_t M, int64_t N, int64_t K, int64_t lddw,
                                        bool accumulate) {
    return {M, N, K, lddw, accumulate};
  }
};

}  // namespace weft
