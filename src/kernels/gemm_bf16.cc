#include "kernels/gemm_bf16.h"

#include <fmt/format.h>

#include <limits>

#include "base/error.h"
#include "kernels/gemm_bf16_blocks.h"

namespace weft {
namespace {

// Sizes up to here can be multiplied by one another and by an element's size in 64 bits.
constexpr int64_t kMaxInt = std::numeric_limits<int>::max();

void check(const GemmBf16Shape& s) {
  const bool positive = s.M > 0 && s.N > 0 && s.K > 0;
  const bool rows_fit = s.lda >= s.K && s.ldc >= s.N;
  if (positive && rows_fit && s.M <= kMaxInt && s.lda <= kMaxInt && s.ldc <= kMaxInt) return;
  throw failure(
      "gemm_bf16",
      fmt::format("invalid shape: M {} N {} K {}, lda {} ldc {}", s.M, s.N, s.K, s.lda, s.ldc),
      "this is a bug in weft");
}

}  // namespace

GemmBf16::GemmBf16(const GemmBf16Shape& shape, Bf16Backend backend) : shape_(shape) {
  check(shape);
  multiply_ = resolve(backend) == Bf16Backend::kAmx ? multiply_by_tiles : multiply_by_vectors;
}

void GemmBf16::operator()(const BFloat16* A, const BFloat16* B, float* C) const noexcept {
  multiply_(shape_, A, B, C);
}

}  // namespace weft
