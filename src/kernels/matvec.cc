#include "kernels/matvec.h"

#define HWY_TARGET_INCLUDE "kernels/matvec.cc"
#include "kernels/simd-inl.h"
// Below simd-inl.h, which it needs.
#include "kernels/bfloat16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

// Partial sums of a dot product: enough to hide the latency of their additions.
constexpr int64_t kSumLanes = 64;

template <typename T>
HWY_INLINE void multiply_rows(Matrix<const T> W, Vector<const float> x, Vector<float> y) {
  for (int64_t n = 0; n < W.rows; ++n) {
    const T* w = W.row(n).data();
    LaneSums<Floats, kSumLanes> sums;
    for_each_vector_in_groups<kSumLanes>(Floats(), W.cols,
                                         [&](auto io, int64_t i, int64_t k) HWY_ATTR {
                                           prefetch_stream(w + i);
                                           sums.add_product(k, load(io, w + i), io.load(&x[i]));
                                         });
    y[static_cast<size_t>(n)] = sums.total();
  }
}

void matvec(Matrix<const float> W, Vector<const float> x, Vector<float> y) {
  multiply_rows(W, x, y);
}

void matvec_bf16(Matrix<const BFloat16> W, Vector<const float> x, Vector<float> y) {
  multiply_rows(W, x, y);
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(matvec);
void matvec(Matrix<const float> W, Vector<const float> x, Vector<float> y) noexcept {
  HWY_DYNAMIC_DISPATCH(matvec)(W, x, y);
}

HWY_EXPORT(matvec_bf16);
void matvec(Matrix<const BFloat16> W, Vector<const float> x, Vector<float> y) noexcept {
  HWY_DYNAMIC_DISPATCH(matvec_bf16)(W, x, y);
}

}  // namespace weft
#endif
