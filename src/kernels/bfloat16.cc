#include "kernels/bfloat16.h"

#define HWY_TARGET_INCLUDE "kernels/bfloat16.cc"
#include "kernels/simd-inl.h"
// Below simd-inl.h, which it needs.
#include "kernels/bfloat16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

void round_row(Vector<const float> src, Vector<BFloat16> dst) {
  const hn::RebindToSigned<Floats> ints;  // 16 bits always fit, so that nothing is saturated
  constexpr size_t N = kLanesOf<Floats>;
  size_t i = 0;
  for (; i + N <= src.size(); i += N) {
    const auto bits = BitCast(ints, load_bf16_bits(src.data() + i));
    StoreU(DemoteTo(HalfWords(), bits), HalfWords(), &dst[i].bits);
  }
  for (; i < src.size(); ++i) dst[i] = to_bfloat16(src[i]);
}

void widen_row(Vector<const BFloat16> src, Vector<float> dst) {
  constexpr size_t N = kLanesOf<Floats>;
  size_t i = 0;
  for (; i + N <= src.size(); i += N) {
    const auto bits = hn::ShiftLeft<16>(load_bf16_bits(src.data() + i));
    StoreU(BitCast(Floats(), bits), Floats(), dst.data() + i);
  }
  for (; i < src.size(); ++i) dst[i] = to_float(src[i]);
}

void round(Matrix<const float> src, Matrix<BFloat16> dst) {
  for (int64_t r = 0; r < src.rows; ++r) round_row(src.row(r), dst.row(r));
}

void widen(Matrix<const BFloat16> src, Matrix<float> dst) {
  for (int64_t r = 0; r < src.rows; ++r) widen_row(src.row(r), dst.row(r));
}

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
