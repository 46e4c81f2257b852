// bf16 in vectors: 32-bit lanes that hold a bf16's bits in their lower half.
// Included like simd-inl.h, after it, by sources that are compiled once per instruction set.

// Not #pragma once: foreach_target.h includes the kernel's source again for each target.
#if defined(WEFT_KERNELS_BFLOAT16_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_KERNELS_BFLOAT16_INL_H
#undef WEFT_KERNELS_BFLOAT16_INL_H
#else
#define WEFT_KERNELS_BFLOAT16_INL_H
#endif

#include "base/bfloat16.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

using Words = hn::RebindToUnsigned<Floats>;
using HalfWords = hn::Rebind<uint16_t, Floats>;

HWY_INLINE hn::Vec<Words> load_bf16_bits(const BFloat16* p) {
  return PromoteTo(Words(), LoadU(HalfWords(), &p->bits));
}

// What to_bfloat16 does, lane by lane.
HWY_INLINE hn::Vec<Words> load_bf16_bits(const float* p) {
  const Words words;
  const auto value = LoadU(Floats(), p);
  const auto bits = BitCast(words, value);
  const auto kept = hn::ShiftRight<16>(bits);
  const auto rounding = Add(Set(words, 0x7FFF), And(kept, Set(words, 1)));
  const auto rounded = hn::ShiftRight<16>(Add(bits, rounding));
  const auto nan = hn::RebindMask(words, IsNaN(value));
  return IfThenElse(nan, Or(kept, Set(words, 0x40)), rounded);
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // WEFT_KERNELS_BFLOAT16_INL_H
