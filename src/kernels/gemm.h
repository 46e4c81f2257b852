// Gemm: the one matrix product that every layer is made of.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

enum class GemmBackend {
  kAuto,     // kLibxsmm where the CPU has AVX2 or AVX-512, else kCblas
  kLibxsmm,  // JIT-compiled batch-reduce kernels
  kCblas,    // any other CPU
};

// C = sum over i < count of A_i B_i (+ C), everything row-major in fp32:
//   A_i is (M, K), its rows lda apart; B_i is (K, N), rows ldb apart; C is (M, N), rows ldc apart.
// A_{i+1} begins stride_a elements after A_i, B_{i+1} stride_b after B_i.
struct GemmShape {
  int64_t M = 0, N = 0, K = 0;
  int64_t lda = 0, ldb = 0, ldc = 0;
  bool accumulate = false;             // add to C instead of overwriting it
  int64_t stride_a = 0, stride_b = 0;  // used when count > 1
  bool transposed_a = false;           // A_i lies as its transpose does: (K, M), rows lda apart
};

// A product of fixed shape, prepared once (JIT-compiled) and then called from any thread.
// Every call with the same operands gives the same bits. 2 M N K count FLOPs.
// docs/model.md#linear-layers
class Gemm {
 public:
  // Throws Error if the shape is invalid or the backend cannot serve this CPU.
  explicit Gemm(const GemmShape& shape, GemmBackend backend = GemmBackend::kAuto);

  // REQUIRES: A, B and C hold the shape's elements; C overlaps neither; count >= 1. Thread-safe.
  // Reads and writes nothing outside the shape's elements, whatever the alignment.
  void operator()(const float* A, const float* B, float* C, int64_t count = 1) const noexcept;

  const GemmShape& shape() const { return shape_; }

 private:
  using Kernel = void (*)();  // a libxsmm batch-reduce kernel, or null for CBLAS
  GemmShape shape_;
  Kernel kernel_;
};

// The backend that kAuto stands for on this CPU.
GemmBackend resolve(GemmBackend backend);

// For example "libxsmm 1.17 (cpx)" or "OpenBLAS 0.3.21 (SkylakeX)".
std::string gemm_description(GemmBackend backend = GemmBackend::kAuto);

}  // namespace weft
