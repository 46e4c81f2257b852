// GemmBf16: the matrix product on bf16 operands, summed in fp32.
#pragma once

#include <cstdint>

#include "base/bfloat16.h"
#include "kernels/bf16_backend.h"
#include "kernels/pack_bf16.h"

namespace weft {

// C = A B (+ C): A (M, K) in bf16 as it lies in memory, its rows lda apart; B (K, N) packed by
// kernels/pack_bf16.h; C (M, N) in fp32, its rows ldc apart. Any M, N, K of 1 or more.
struct GemmBf16Shape {
  int64_t M = 0, N = 0, K = 0;
  int64_t lda = 0, ldc = 0;
  bool accumulate = false;  // add to C instead of overwriting it
};

// A product of fixed shape, prepared once and then called from any thread. 2 M N K FLOPs.
//
// Products of two bf16 are exact in fp32; they are summed in fp32, ties to even, in an order that
// the shape alone decides. So every call with the same operands gives the same bits on one backend.
// The two backends sum in different orders, and both take denormals as zero.
// docs/model.md#precision
class GemmBf16 {
 public:
  // Throws Error if the shape is invalid or the backend cannot be used here.
  explicit GemmBf16(const GemmBf16Shape& shape, Bf16Backend backend = Bf16Backend::kAuto);

  // REQUIRES: A, B and C hold the shape's elements; C overlaps neither. Thread-safe.
  // Reads and writes nothing outside them, whatever the alignment; fastest where B and the rows of
  // A begin at 64 bytes.
  void operator()(const BFloat16* A, const BFloat16* B, float* C) const noexcept;

  const GemmBf16Shape& shape() const { return shape_; }

 private:
  using Multiply = void (*)(const GemmBf16Shape&, const BFloat16*, const BFloat16*, float*);
  GemmBf16Shape shape_;
  Multiply multiply_;
};

}  // namespace weft
