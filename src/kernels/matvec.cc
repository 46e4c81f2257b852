#include "kernels/matvec.h"

#define HWY_TARGET_INCLUDE "kernels/matvec.cc"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

// Partial sums of a dot product: enough to hide the latency of their additions.
constexpr int64_t kSumLanes = 64;

void matvec(Matrix<const float> W, Vector<const float> x, Vector<float> y) {
  for (int64_t n = 0; n < W.rows; ++n) {
    const float* w = W.row(n).data();
    LaneSums<Floats, kSumLanes> sums;
    for_each_vector_in_groups<kSumLanes>(Floats(), W.cols,
                                         [&](auto io, int64_t i, int64_t k) HWY_ATTR {
                                           prefetch_stream(w + i);
                                           sums.add_product(k, io.load(w + i), io.load(&x[i]));
                                         });
    y[static_cast<size_t>(n)] = sums.total();
  }
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(matvec);
void matvec(Matrix<const float> W, Vector<const float> x, Vector<float> y) noexcept {
  HWY_DYNAMIC_DISPATCH(matvec)(W, x, y);
}

}  // namespace weft
#endif
