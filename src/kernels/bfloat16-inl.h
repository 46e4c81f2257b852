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

// to_bfloat16, lane by lane.
HWY_INLINE hn::Vec<Words> bf16_bits(hn::Vec<Floats> value) {
  const Words words;
  const auto bits = BitCast(words, value);
  const auto kept = hn::ShiftRight<16>(bits);
  const auto rounding = Add(Set(words, 0x7FFF), And(kept, Set(words, 1)));
  const auto rounded = hn::ShiftRight<16>(Add(bits, rounding));
  const auto nan = hn::RebindMask(words, IsNaN(value));
  return IfThenElse(nan, Or(kept, Set(words, 0x40)), rounded);
}

HWY_INLINE hn::Vec<Words> load_bf16_bits(const float* p) { return bf16_bits(LoadU(Floats(), p)); }

// to_float, lane by lane.
HWY_INLINE hn::Vec<Floats> floats_of(hn::Vec<Words> bf16_bits) {
  return BitCast(Floats(), hn::ShiftLeft<16>(bf16_bits));
}

HWY_INLINE void store_bf16_bits(hn::Vec<Words> bits, BFloat16* p) {
  const hn::RebindToSigned<Floats> ints;  // 16 bits always fit, so that nothing is saturated
  StoreU(DemoteTo(HalfWords(), BitCast(ints, bits)), HalfWords(), &p->bits);
}

// A vector of floats from elements of either type, and back with rounding: loops that are the same
// for both call these where others call io.load and io.store.
template <class IO>
HWY_INLINE hn::Vec<Floats> load(IO io, const float* p) {
  return io.load(p);
}
HWY_INLINE hn::Vec<Floats> load(WholeVector<Floats>, const BFloat16* p) {
  return floats_of(load_bf16_bits(p));
}
HWY_INLINE hn::Vec<Floats> load(PartialVector<Floats> io, const BFloat16* p) {
  BFloat16 lanes[kLanesOf<Floats>] = {};
  std::memcpy(lanes, p, io.n * sizeof(BFloat16));
  return floats_of(load_bf16_bits(lanes));
}

template <class IO>
HWY_INLINE void store(IO io, hn::Vec<Floats> v, float* p) {
  io.store(v, p);
}
HWY_INLINE void store(WholeVector<Floats>, hn::Vec<Floats> v, BFloat16* p) {
  store_bf16_bits(bf16_bits(v), p);
}
HWY_INLINE void store(PartialVector<Floats> io, hn::Vec<Floats> v, BFloat16* p) {
  BFloat16 lanes[kLanesOf<Floats>];
  store_bf16_bits(bf16_bits(v), lanes);
  std::memcpy(p, lanes, io.n * sizeof(BFloat16));
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // WEFT_KERNELS_BFLOAT16_INL_H
