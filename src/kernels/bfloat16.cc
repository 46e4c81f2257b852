#include "kernels/bfloat16.h"

#define HWY_TARGET_INCLUDE "kernels/bfloat16.cc"
#include "kernels/simd-inl.h"
// Below simd-inl.h, which it needs.
#include "kernels/bfloat16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

template <class From, class To>
HWY_INLINE void convert_rows(Matrix<const From> src, Matrix<To> dst) {
  for (int64_t r = 0; r < src.rows; ++r) {
    const From* from = src.row(r).data();
    To* to = dst.row(r).data();
    for_each_vector(Floats(), src.cols, [=](auto io, int64_t c) HWY_ATTR {
      store(io, load(io, from + c), to + c);
    });
  }
}

void round(Matrix<const float> src, Matrix<BFloat16> dst) { convert_rows(src, dst); }

void widen(Matrix<const BFloat16> src, Matrix<float> dst) { convert_rows(src, dst); }

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(round);
void convert(Matrix<const float> src, Matrix<BFloat16> dst) noexcept {
  HWY_DYNAMIC_DISPATCH(round)(src, dst);
}

HWY_EXPORT(widen);
void convert(Matrix<const BFloat16> src, Matrix<float> dst) noexcept {
  HWY_DYNAMIC_DISPATCH(widen)(src, dst);
}

}  // namespace weft
#endif
